"""The harness dies while a machine is off: the machine comes back, and nothing is forgotten."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.lab.conftest import Lab, Played, eventually

pytestmark = pytest.mark.lab

EXPERIMENT = "vip_drop_holder"


@dataclass(frozen=True)
class Faulted:
    """A run whose fault is on: the harness's process and its run directory."""

    process: subprocess.Popen[str]
    directory: Path

    def guardian(self) -> int:
        """Process id of the guardian, found by what it guards: the run directory in its command."""
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
            except (FileNotFoundError, ProcessLookupError):
                continue
            if str(self.directory) in words and any("guardian" in word for word in words):
                return int(folder.name)
        raise AssertionError("there is no guardian")


@pytest.fixture
def faulted(lab: Lab) -> Iterator[Faulted]:
    """A run stopped in thought right after its fault was proved; whatever happens, it is undone."""
    before = set(lab.runs.glob("*"))
    argv = lab.argv("run", str(lab.root / "experiments" / f"{EXPERIMENT}.yaml"))
    quiet = subprocess.DEVNULL
    with subprocess.Popen(
        argv, env=lab.environment, text=True, stdout=quiet, stderr=quiet
    ) as process:

        def directory() -> Path | None:
            made = [path for path in set(lab.runs.glob("*")) - before if is_proved(path)]
            return made[0] if made else None

        eventually("the fault is proved", lambda: directory() is not None, timeout_s=180)
        found = directory()
        assert found is not None
        try:
            yield Faulted(process, found)
        finally:
            process.kill()
    lab.run("undo", check=False)
    eventually("the cluster is whole", lambda: lab.is_whole(), timeout_s=180)


def is_proved(directory: Path) -> bool:
    path = directory / "events.jsonl"
    return path.exists() and '"injection_proved"' in path.read_text()


def test_the_guardian_powers_the_node_on(lab: Lab, faulted: Faulted) -> None:
    os.kill(faulted.process.pid, signal.SIGKILL)
    journal = faulted.directory / "undo.jsonl"
    eventually(
        "the guardian has settled the journal",
        lambda: '"settled"' in journal.read_text(),
        timeout_s=120,
    )
    eventually("the cluster is whole", lambda: lab.is_whole(), timeout_s=120)


def test_without_a_guardian_run_refuses_until_undo(lab: Lab, faulted: Faulted) -> None:
    os.kill(faulted.guardian(), signal.SIGKILL)
    os.kill(faulted.process.pid, signal.SIGKILL)
    faulted.process.wait()
    refused = lab.run("run", str(lab.root / "experiments" / f"{EXPERIMENT}.yaml"), check=False)
    assert refused.returncode == 3
    assert "quorate undo" in refused.stdout + refused.stderr
    time.sleep(10)  # nobody is left who could power it on
    assert sorted(lab.powered().values()).count("absent") == 1
    lab.run("undo")
    eventually("the cluster is whole", lambda: lab.is_whole(), timeout_s=120)
    assert Played(0, "", faulted.directory).events, "the dead run's events are still there"
