"""The harness dies while a machine is off: the machine comes back, and nothing is forgotten."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from quorate.harness.undo.journal import JOURNAL_NAME, UndoJournal
from tests.lab import residue
from tests.lab.conftest import Lab, assert_nothing_is_left, eventually
from tests.lab.hurried import UNHURRIED, argv, hurried, shipped
from tests.lab.killing import Live, events_of, guardian_of, proved

pytestmark = pytest.mark.lab

EXPERIMENT = "vip_drop_holder"


@pytest.fixture
def faulted(lab: Lab) -> Iterator[Live]:
    """A run whose fault was just proved; whatever happens, it is undone."""
    live = Live.start(lab, argv("run", str(lab.brief(EXPERIMENT)), mood=UNHURRIED))
    try:
        eventually("the fault is proved", lambda: proved(live.directory), timeout_s=180)
        yield live
    finally:
        live.process.kill()
        live.process.wait()
    lab.run("undo", check=False)
    eventually("the cluster is whole", lambda: lab.is_whole(), timeout_s=180)


def test_the_guardian_powers_the_node_on(lab: Lab, faulted: Live) -> None:
    os.kill(faulted.process.pid, signal.SIGKILL)
    assert faulted.directory is not None
    journal = UndoJournal(faulted.directory / JOURNAL_NAME)
    settled = "the guardian has settled the journal"
    eventually(settled, lambda: not journal.pending(), timeout_s=120)
    eventually("the cluster is whole", lambda: lab.is_whole(), timeout_s=120)


def test_without_a_guardian_run_refuses_until_undo(lab: Lab, faulted: Live) -> None:
    guardian = guardian_of(faulted.directory)
    assert guardian is not None
    os.kill(guardian, signal.SIGKILL)
    os.kill(faulted.process.pid, signal.SIGKILL)
    faulted.process.wait()
    refused = lab.run("run", str(lab.root / "experiments" / f"{EXPERIMENT}.yaml"), check=False)
    assert refused.returncode == 3
    assert "quorate undo" in refused.stdout + refused.stderr
    time.sleep(10)  # nobody is left who could power it on
    assert sorted(lab.powered().values()).count("absent") == 1
    lab.run("undo")
    eventually("the cluster is whole", lambda: lab.is_whole(), timeout_s=120)
    assert events_of(faulted.directory), "the dead run's events are still there"


def test_an_isolated_node_frees_itself_at_its_deadline(
    lab: Lab, untouched: residue.Untouched, tmp_path: Path
) -> None:
    path = tmp_path / "isolated.yaml"
    path.write_text(yaml.safe_dump(hurried(shipped("node_isolate")), sort_keys=False))
    live = Live.start(lab, argv("run", str(path)))
    try:
        eventually("the node is cut off", lambda: proved(live.directory), timeout_s=180)
        guardian = guardian_of(live.directory)
        assert guardian is not None
        os.kill(guardian, signal.SIGKILL)
    finally:
        live.process.kill()
        live.process.wait()
    (began,) = (e["data"] for e in events_of(live.directory) if e["kind"] == "injection_started")
    node = began["nodes"][0]
    due = due_at(lab, node, f"quorate-{began['mark']}-1.timer")
    assert due > time.monotonic() + 2, "not over before anybody has looked"
    other = next(name for name in lab.powered() if name != node)
    nodes = yaml.safe_load(lab.cluster.read_text())["nodes"]
    (to,) = (one["address"] for one in nodes if one["name"] == node)
    ping = ("ping", "-c", "1", "-W", "1", to)
    eventually("it is heard", lambda: lab.on(other, *ping).returncode == 0, timeout_s=120)
    assert time.monotonic() == pytest.approx(due, abs=2.0)
    lab.run("undo")
    assert_nothing_is_left(lab, untouched)


def due_at(lab: Lab, node: str, timer: str) -> float:
    """When a timer of a node goes off, on the clock that all machines of the lab share."""
    shown = lab.on(node, "systemctl", "show", "-p", "NextElapseUSecMonotonic", "--value", timer)
    units = {"d": 86400, "h": 3600, "min": 60, "s": 1, "ms": 1e-3, "us": 1e-6}
    parts = re.findall(r"([0-9.]+)(d|h|min|s|ms|us)\b", shown.stdout)
    assert parts, f"{timer} is not armed: {shown.stdout}{shown.stderr}"
    return sum(float(number) * units[unit] for number, unit in parts)
