"""SIGKILL of real processes at every boundary of the journal: what is on comes off."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from quorate.harness.transport.local import LocalTransport
from quorate.harness.undo.execute import execute_with
from quorate.harness.undo.guardian import Guardian
from quorate.harness.undo.in_flight import InFlight
from quorate.harness.undo.settle import settle_run

BOUNDARIES = [
    "guarded",
    "first-journalled",
    "both-journalled",
    "act-in-flight",
    "active",
    "undo-in-flight",
    "first-undone",
    "undone",
]


def gone(pid: int, *, timeout_s: float = 20) -> bool:
    """Wait for a process that need not be our child; False if it outlives ``timeout_s``."""
    with contextlib.suppress(ProcessLookupError):
        descriptor = os.pidfd_open(pid)
        try:
            poll = select.poll()
            poll.register(descriptor, select.POLLIN)
            return bool(poll.poll(timeout_s * 1000))
        finally:
            os.close(descriptor)
    return True


@contextlib.contextmanager
def harness_at(scene: Any, boundary: str) -> Iterator[subprocess.Popen[str]]:
    harness = scene.start(boundary)
    try:
        if boundary == "act-in-flight":
            wait_for(lambda: scene.faulted == ["a"])
        if boundary == "undo-in-flight":
            wait_for(lambda: scene.faulted == ["a", "b"] and not InFlight(scene.run_dir).is_free())
        yield harness
    finally:
        harness.kill()
        harness.wait()
        assert harness.stdout is not None
        harness.stdout.close()


def wait_for(condition: Any, *, timeout_s: float = 10) -> None:
    event = select.poll()
    for _ in range(int(timeout_s * 100)):
        if condition():
            return
        event.poll(10)
    raise AssertionError("never came true")


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_harness_killed_the_guardian_settles(scene: Any, boundary: str) -> None:
    with harness_at(scene, boundary) as harness:
        os.kill(harness.pid, signal.SIGKILL)
        assert gone(scene.guardian), scene.log
    wait_for(InFlight(scene.run_dir).is_free)  # or an act that was overtaken bites only now
    assert scene.faulted == [], scene.log
    assert scene.journal.read().clean
    assert scene.registry.list() == ()
    assert "nothing of this run is left on" in scene.log


@pytest.mark.parametrize("boundary", ["registered", *BOUNDARIES])
def test_both_killed_a_fresh_process_settles(scene: Any, boundary: str) -> None:
    with harness_at(scene, boundary) as harness:
        # The guardian first: it must not get the chance.
        for pid in [*scene.pids[1:], harness.pid]:
            os.kill(pid, signal.SIGKILL)
        if boundary != "undone":
            assert scene.registry.list() == (scene.run_dir,), "run would not refuse"
        if boundary == "active":
            assert scene.faulted == ["a", "b"]
    transport = LocalTransport(in_flight=InFlight(scene.run_dir))
    settle_run(scene.run_dir, execute=execute_with(transport), registry=scene.registry)
    wait_for(InFlight(scene.run_dir).is_free)
    assert scene.faulted == []
    assert scene.journal.read().clean
    assert scene.registry.list() == ()


def test_a_torn_last_line_hides_nothing_that_was_acknowledged(scene: Any) -> None:
    with harness_at(scene, "active") as harness:
        os.kill(scene.guardian, signal.SIGKILL)
        os.kill(harness.pid, signal.SIGKILL)
        harness.wait()
    with scene.journal.path.open("ab") as file:
        file.write(b'{"entry": "undo", "undo": {"id": "c", "inj')
    settle_run(scene.run_dir, execute=execute_with(LocalTransport()), registry=scene.registry)
    assert scene.faulted == []
    assert scene.journal.read().clean


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_guardian_outlives_signals_and_still_settles(
    scene: Any, number: signal.Signals
) -> None:
    with harness_at(scene, "active") as harness:
        os.kill(scene.guardian, number)
        assert not gone(scene.guardian, timeout_s=0.2)
        os.kill(harness.pid, signal.SIGKILL)
        assert gone(scene.guardian)
    assert scene.faulted == []


def test_the_guardian_stands_apart(scene: Any) -> None:
    """A session of its own; open are its pipe and its log, nothing else of the harness."""
    with harness_at(scene, "active") as harness:
        guardian = scene.guardian
        assert os.getsid(guardian) == guardian != os.getsid(harness.pid)
        open_files = {
            int(name): os.readlink(f"/proc/{guardian}/fd/{name}")
            for name in os.listdir(f"/proc/{guardian}/fd")
        }
        assert open_files.pop(0).startswith("pipe:")
        assert set(open_files.values()) == {str(scene.run_dir / "guardian.log")}


def test_a_released_guardian_ends_at_once_and_touches_nothing(scene: Any) -> None:
    with harness_at(scene, "none") as harness:
        assert harness.wait(10) == 0
        assert gone(scene.guardian, timeout_s=1)
    assert "released" in scene.log
    assert "settl" not in scene.log


def test_released_with_something_pending_it_leaves_that_alone(scene: Any) -> None:
    """The harness itself has reported the failure (exit code 4); nobody acts behind its back."""
    with harness_at(scene, "active") as harness:
        guardian = Guardian().start(scene.run_dir)
        guardian.release()
        assert not guardian.alive()
        assert scene.faulted == ["a", "b"]
        os.kill(harness.pid, signal.SIGKILL)
        assert gone(scene.guardian)


def test_begun_and_not_needed_it_ends_and_touches_nothing(scene: Any) -> None:
    """A run that is refused before anything is held never waits for it."""
    with harness_at(scene, "active") as harness:
        guardian = Guardian()
        guardian.begin(scene.run_dir)
        guardian.begin(scene.run_dir)
        pid = guardian.pid
        guardian.release()
        assert pid is not None
        assert not Path("/proc", str(pid)).exists()
        assert scene.faulted == ["a", "b"]
        os.kill(harness.pid, signal.SIGKILL)
        assert gone(scene.guardian)


def test_handed_over_it_settles_although_the_harness_lives(scene: Any) -> None:
    with harness_at(scene, "active"):
        guardian = Guardian().start(scene.run_dir)
        guardian.hand_over()
        wait_for(lambda: scene.journal.read().clean, timeout_s=20)
    assert scene.faulted == []


def test_one_undo_that_fails_does_not_keep_the_guardian_from_the_other(
    scene: Any,
) -> None:
    with harness_at(scene, "active") as harness:
        (scene.world / "a").unlink()
        (scene.world / "a").mkdir()  # `rm -f` cannot remove a directory
        os.kill(harness.pid, signal.SIGKILL)
        wait_for(lambda: scene.faulted == ["a"], timeout_s=20)
        wait_for(lambda: "1 undo(s) failed" in scene.log, timeout_s=20)
        assert scene.registry.list() == (scene.run_dir,)
        (scene.world / "a").rmdir()
        assert gone(scene.guardian), "it tries again"
    assert scene.journal.read().clean
    assert scene.registry.list() == ()


def test_a_guardian_that_cannot_start_refuses_the_run(scene: Any) -> None:
    (scene.run_dir / "cluster.yaml").write_text("format: 7\n")
    with pytest.raises(Exception, match=r"the guardian did not start; see .*guardian\.log"):
        Guardian().start(scene.run_dir)
    assert "cluster.yaml:1" in scene.log
