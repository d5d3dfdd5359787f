"""The life of a lab when things go wrong: interrupted, killed, refused, the host rebooted."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from quorate.harness.cluster.state import state_directory
from tests.lab import host_state
from tests.lab.conftest import Lab

pytestmark = pytest.mark.lab

NAME = "life"
QUORATE_LAB = [sys.executable, "-m", "quorate", "lab"]
UP = [*QUORATE_LAB, "up", "--name", NAME, "--control-planes", "1", "--workers", "1", "--fix-host"]
IN_THE_MIDDLE = "kubeadm init"  # machines run, nothing is finished


def _lab(*words: str, timeout_s: float = 240) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*QUORATE_LAB, *words], capture_output=True, text=True, timeout=timeout_s, check=False
    )


def _status() -> str | None:
    labs = json.loads(_lab("status", "--json").stdout)
    return labs[NAME]["state"] if NAME in labs else None


@contextlib.contextmanager
def _up_until(step: str) -> Iterator[subprocess.Popen[str]]:
    """`lab up` in a process of its own, at the moment when it announces a step."""
    with subprocess.Popen(UP, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            said = []
            for line in process.stderr:
                said.append(line)
                if step in line:
                    break
            else:
                pytest.fail(f"lab up ended before {step!r}:\n{''.join(said)}")
            yield process
        finally:
            process.kill()


@pytest.fixture(autouse=True)
def untouched_host(lab: Lab) -> Iterator[None]:
    """Every test here begins and ends without the lab `life`; the host is as before."""
    _lab("down", "--name", NAME)
    before = host_state.snapshot()
    yield
    _lab("down", "--name", NAME)
    left = host_state.differences(before, host_state.snapshot())
    # The other lab lives on meanwhile: its processes and the cgroups of its pods come and go.
    own = f"/quorate/{lab.name}/"
    left = [line for line in left if not line.startswith("process") and own not in line]
    assert left == [], "\n".join(left)


def test_ctrl_c_in_the_middle_of_up_leaves_nothing() -> None:
    with _up_until(IN_THE_MIDDLE) as process:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        assert process.returncode != 0
    assert _status() is None
    assert not Path("/run/quorate", NAME).exists()
    assert not (state_directory() / "labs" / NAME).exists()


def test_sigkill_in_the_middle_of_up_is_coped_with() -> None:
    """`down` removes what is left; so does the next `up`, which then makes a whole lab. While one
    `up` works, another is refused."""
    with _up_until(IN_THE_MIDDLE) as process:
        second = subprocess.run(UP, capture_output=True, text=True, timeout=60, check=False)
        assert second.returncode == 3, second.stderr
        assert str(process.pid) in second.stderr
        process.send_signal(signal.SIGKILL)
    assert _status() == "building"
    again = subprocess.run(UP, capture_output=True, text=True, timeout=300, check=False)
    assert again.returncode == 0, again.stderr
    assert _status() == "running"
    third = subprocess.run(UP, capture_output=True, text=True, timeout=60, check=False)
    assert third.returncode == 3, third.stderr
    assert "runs already" in third.stderr
    _reboot_the_host()
    assert _status() == "stopped"
    started = _lab("start", "--name", NAME)
    assert started.returncode == 0, started.stderr
    assert _status() == "running"


def _reboot_the_host() -> None:
    """What a reboot does to a lab: every process ends, /run is empty, mounts are gone."""
    runtime = Path("/run/quorate", NAME)
    for state in (runtime / "runc").glob("*/state.json"):
        os.kill(json.loads(state.read_text())["init_process_pid"], signal.SIGKILL)
    time.sleep(1)  # the kernel ends everything in the pid namespaces
    mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    homes = (str(runtime), str(state_directory() / "labs" / NAME))
    for mount in reversed([each for each in mounts if each.startswith(homes)]):
        subprocess.run(["umount", mount], check=True)
    shutil.rmtree(runtime)


def test_what_a_lab_cannot_be_is_refused_before_anything_is_made() -> None:
    for words in (
        ("--name", "../x"),
        ("--name", NAME, "--control-planes", "2"),
        ("--name", NAME, "--workers", "0"),
    ):
        refused = _lab("up", *words)
        assert refused.returncode == 2, refused.stderr
    assert _status() is None


@pytest.mark.parametrize("verb", ["down", "start", "stop"])
def test_a_lab_that_is_not_there_is_named(verb: str) -> None:
    refused = _lab(verb, "--name", NAME)
    assert refused.returncode == 3
    assert NAME in refused.stderr
    assert "lab up" in refused.stderr
