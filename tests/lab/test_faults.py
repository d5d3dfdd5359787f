"""Every fault of the catalogue on the real cluster: it bites, it comes off, it leaves nothing.

And with its act replaced by `true`, its proof says so.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from quorate.harness.faults.catalogue import FAULTS
from quorate.harness.undo.journal import JOURNAL_NAME, UndoJournal
from tests.lab import residue
from tests.lab.conftest import Lab, Played, assert_nothing_is_left
from tests.lab.hurried import argv, hurried, shipped

pytestmark = pytest.mark.lab


IMPATIENT = ("impatient", 4)


def play(
    lab: Lab, document: dict[str, Any], path: Path, *, mood: tuple[str, int] = ("never", 0)
) -> Played:
    """A hurried run of an experiment that was changed for it."""
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    return lab.play_argv(argv("run", str(path), mood=mood), timeout_s=600)


def data_of(played: Played, kind: str) -> list[dict[str, Any]]:
    return [event["data"] for event in played.events if event["kind"] == kind]


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_it_bites_comes_off_and_leaves_nothing(
    lab: Lab, untouched: residue.Untouched, name: str, tmp_path: Path
) -> None:
    void = hurried(shipped(name), arranged=("acts_do_nothing",))
    played = play(lab, void, tmp_path / "void.yaml", mood=IMPATIENT)
    assert [one["ok"] for one in data_of(played, "injection_proved")] == [False], played.output
    assert played.exit_code == 3, played.output
    assert played.verdict["verdict"] == "INCONCLUSIVE"

    played = play(lab, hurried(shipped(name)), tmp_path / "real.yaml")
    assert [one["ok"] for one in data_of(played, "injection_proved")] == [True], played.output
    for kind in ("undo_done", "arrangement_undone"):
        assert all(one["ok"] for one in data_of(played, kind)), played.output
    assert len(data_of(played, "undo_done")) == 1, played.output
    assert played.exit_code in (0, 1), played.output
    assert not UndoJournal(played.directory / JOURNAL_NAME).pending(), played.output
    assert_nothing_is_left(lab, untouched)
