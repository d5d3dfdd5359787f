"""Every stored run, judged again from its files, gives its verdict byte for byte.

`stored/` holds whole run directories. The first is a real sampler's, against a small server on the
loopback that hung for 3 s; its facts about nodes are made up. A run of the lab is added by copying
it there as it is.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from quorate.harness.judge import judge
from quorate.harness.store.run_directory import RunDirectory

STORED = sorted(path for path in (Path(__file__).parent / "stored").iterdir() if path.is_dir())


def test_there_is_a_stored_run() -> None:
    assert STORED


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.name)
def test_verdict_is_reproduced_byte_for_byte(path: Path) -> None:
    run = RunDirectory.open(path)
    verdict = judge(run.experiment(), run.timeline())
    assert verdict.to_json() == (path / "verdict.json").read_text(encoding="utf-8")
