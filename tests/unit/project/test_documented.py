"""Each command of README and docs is played by somebody, or it is said why not."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from tests import documented


def test_every_command_has_somebody_who_plays_it(root: Path) -> None:
    written = set(documented.commands(root))
    known = {*documented.HERE, *documented.ON_THE_LAB, *documented.ELSEWHERE}
    assert sorted(written - known) == [], "put it into a table of tests/documented.py"
    assert sorted(known - written) == [], "nobody writes this any more: take it out of its table"


def test_a_command_is_told_from_its_surroundings() -> None:
    tell = documented._first
    assert tell("sudo .venv/bin/quorate plan mine.yaml   # changes nothing") == (
        "quorate plan mine.yaml"
    )
    assert tell("python3 -m venv venv && venv/bin/pip install x") == "python3 -m venv venv"
    assert tell("quorate report --format grafana | jq .") == "quorate report --format grafana"


def test_those_that_need_no_cluster_work(root: Path, tmp_path: Path) -> None:
    (tmp_path / "experiments").symlink_to(root / "experiments")
    page = (root / "docs" / "your-cluster.md").read_text(encoding="utf-8")
    (cluster,) = re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    (tmp_path / "cluster.yaml").write_text(cluster)
    environment = {**os.environ, "QUORATE_CLUSTER": str(tmp_path / "cluster.yaml")}
    programs = Path(sys.executable).parent
    for command in documented.HERE:
        done = documented.play(command, programs=programs, folder=tmp_path, environment=environment)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
