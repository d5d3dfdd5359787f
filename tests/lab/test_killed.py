"""The harness dies while a machine is off: the machine comes back, and nothing is forgotten."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

import pytest

from quorate.harness.undo.journal import JOURNAL_NAME, UndoJournal
from tests.lab.conftest import Lab, eventually
from tests.lab.killing import Live, events_of, guardian_of, proved

pytestmark = pytest.mark.lab

EXPERIMENT = "vip_drop_holder"


@pytest.fixture
def faulted(lab: Lab) -> Iterator[Live]:
    """A run whose fault was just proved; whatever happens, it is undone."""
    live = Live.start(lab, lab.argv("run", str(lab.root / "experiments" / f"{EXPERIMENT}.yaml")))
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
