from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from quorate.harness.cluster.lock import ClusterLock
from quorate.harness.errors import RefusedError, StoreError

_HOLD = """
import signal, sys
from pathlib import Path
from quorate.harness.cluster.lock import ClusterLock
ClusterLock(Path(sys.argv[1]), "lab").acquire()
print("held", flush=True)
signal.pause()
"""


def test_a_second_run_is_refused_and_told_whose_the_lock_is(tmp_path: Path) -> None:
    with ClusterLock(tmp_path, "lab"):
        with pytest.raises(RefusedError, match=rf"cluster lab: .*process {os.getpid()}\b"):
            ClusterLock(tmp_path, "lab").acquire()
        with ClusterLock(tmp_path, "another"):
            pass
    with ClusterLock(tmp_path, "lab"):
        pass


def test_a_killed_holder_leaves_it_free(tmp_path: Path) -> None:
    environ = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        env=environ,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(RefusedError, match=f"process {holder.pid}"):
            ClusterLock(tmp_path, "lab").acquire()
        holder.kill()
        holder.wait()
    with ClusterLock(tmp_path, "lab"):
        pass


def test_a_child_does_not_keep_it(tmp_path: Path) -> None:
    lock = ClusterLock(tmp_path, "lab")
    lock.acquire()
    with subprocess.Popen(["sleep", "60"]) as child:
        lock.release()
        lock.release()
        with ClusterLock(tmp_path, "lab"):
            pass
        child.kill()


def test_a_state_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"locks/lab\.lock"):
        ClusterLock(tmp_path / "file", "lab").acquire()
