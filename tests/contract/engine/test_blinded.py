"""A harness that was blind for five seconds answers nothing, whatever it saw before and after."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.contract.engine.conftest import FakeCluster

Make = Callable[..., str]
PAUSE_S = 5.0


def sampler_of(pid: int) -> int:
    """The process id of the sampler that a run has started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    (found,) = [
        int(child)
        for child in children
        if b"program.main" in Path(f"/proc/{child}/cmdline").read_bytes()
    ]
    return found


@pytest.mark.timeout(120)
def test_a_paused_prober_is_inconclusive(cluster: FakeCluster, experiment: Make) -> None:
    process = cluster.start("quorate", "run", experiment("vip_drop_holder"))
    cluster.until("injection_proved", process)
    sampler = sampler_of(process.pid)
    os.kill(sampler, signal.SIGSTOP)
    try:
        time.sleep(PAUSE_S)
    finally:
        os.kill(sampler, signal.SIGCONT)
    played = cluster.finished(process)
    assert played.exit_code == 3, played.output
    assert played.verdict["verdict"] == "INCONCLUSIVE"
    (broken,) = [gate for gate in played.verdict["gates"] if not gate["ok"]]
    assert broken["name"] == "prober"
    assert "api in fault" in broken["reason"]
    assert not cluster.is_off("cp1")
