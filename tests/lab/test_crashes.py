"""The harness is killed at every line of its journal: the guardian leaves nothing behind.

One fault of each family. The last number of a family is the one at which the run ends by itself,
so that no line is left out when a fault gets more of them.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from quorate.harness.faults.catalogue import FAULTS
from tests.lab import residue
from tests.lab.conftest import Lab, eventually
from tests.lab.test_faults import assert_nothing_is_left, quickly, shipped

pytestmark = [pytest.mark.lab, pytest.mark.timeout(3600)]

PROGRAM = Path(__file__).with_name("dying.py")
FAMILIES = {
    "machine": "node_power_off",
    "network": "etcd_isolate",
    "process": "etcd_pause",
    "unit": "kubelet_stop",
    "balancer": "haproxy_drain_backend",
    "worker": "worker_drain",
}
PLAYED = {family: name for family, name in FAMILIES.items() if name in FAULTS}
MOST_LINES = 60
SETTLED_S = 240.0


def killed(lab: Lab, path: Path, *, when: str, number: int) -> tuple[int, Path]:
    """Play with a death; the exit code (negative: the signal) and the run directory."""
    before = set(lab.runs.glob("*"))
    argv = [sys.executable, str(PROGRAM), when, str(number), "run", str(path)]
    done = subprocess.run(
        argv,
        env=lab.environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=600,
        stdin=subprocess.DEVNULL,
    )
    (directory,) = set(lab.runs.glob("*")) - before
    return done.returncode, directory


def entries(directory: Path) -> list[str]:
    """`undo` or `settled`, line by line; a torn last line is none."""
    lines = (directory / "undo.jsonl").read_text().splitlines()
    return [str(json.loads(line)["entry"]) for line in lines if line.endswith("}")]


def is_settled(directory: Path) -> bool:
    written = entries(directory)
    return written.count("settled") == written.count("undo")


def settles(lab: Lab, directory: Path, before: residue.Snapshot) -> None:
    """The guardian does it, without `quorate undo`; nothing is left anywhere."""
    if (directory / "undo.jsonl").exists():
        eventually("it is settled", lambda: is_settled(directory), timeout_s=SETTLED_S)
    lab.run("undo")  # strikes a run off that died before its guardian stood; undoes nothing more
    assert_nothing_is_left(lab, before)


@pytest.mark.parametrize("family", sorted(PLAYED))
def test_killed_at_every_line_of_the_journal(lab: Lab, family: str, tmp_path: Path) -> None:
    path = tmp_path / "dying.yaml"
    document = quickly(shipped(PLAYED[family]))
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    eventually("the cluster is whole", lab.is_whole, timeout_s=SETTLED_S)
    before = residue.snapshot(lab)
    died = []
    for number in range(1, MOST_LINES):
        code, directory = killed(lab, path, when="after", number=number)
        settles(lab, directory, before)
        if code != -signal.SIGKILL:
            break
        died.append(entries(directory)[number - 1])
    assert "undo" in died, "killed with the fault written down and not yet on"
    assert "settled" in died, "killed with the fault off and the switch still armed"


@pytest.mark.parametrize("family", sorted(PLAYED))
def test_killed_while_it_is_on_and_its_undo_was_carried_out(
    lab: Lab, family: str, tmp_path: Path
) -> None:
    """Just before the first settlement is written: the guardian undoes what is undone already."""
    path = tmp_path / "dying.yaml"
    path.write_text(yaml.safe_dump(quickly(shipped(PLAYED[family])), sort_keys=False))
    eventually("the cluster is whole", lab.is_whole, timeout_s=SETTLED_S)
    before = residue.snapshot(lab)
    _, whole_run = killed(lab, path, when="after", number=MOST_LINES)
    first_settled = 1 + entries(whole_run).index("settled")
    code, directory = killed(lab, path, when="before", number=first_settled)
    assert code == -signal.SIGKILL
    settles(lab, directory, before)
