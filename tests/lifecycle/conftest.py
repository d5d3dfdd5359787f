"""Real processes to kill: a harness with its guardian, over a directory that can be faulted."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from quorate.harness.cluster.file import write_cluster
from quorate.harness.model.cluster import Cluster
from quorate.harness.undo.guardian import LOG_NAME
from quorate.harness.undo.journal import JOURNAL_NAME, UndoJournal
from quorate.harness.undo.pending import PendingRuns

PROGRAM = Path(__file__).with_name("harness_program.py")


@dataclass
class Scene:
    """A run directory, a state directory, and the world that a fault puts files into."""

    root: Path
    run_dir: Path
    world: Path
    state_dir: Path
    pids: list[int] = field(default_factory=list)

    @property
    def journal(self) -> UndoJournal:
        return UndoJournal(self.run_dir / JOURNAL_NAME)

    @property
    def registry(self) -> PendingRuns:
        return PendingRuns(self.state_dir)

    @property
    def faulted(self) -> list[str]:
        return sorted(path.name for path in self.world.iterdir())

    @property
    def log(self) -> str:
        path = self.run_dir / LOG_NAME
        return path.read_text() if path.exists() else ""

    def start(self, boundary: str) -> subprocess.Popen[str]:
        """Start the harness and wait until it is at the boundary."""
        harness = subprocess.Popen(
            [sys.executable, str(PROGRAM), str(self.run_dir), str(self.world), boundary],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.pids.append(harness.pid)
        assert harness.stdout is not None
        for line in harness.stdout:
            words = line.split()
            if words[0] == "guardian" or words[:2] == ["at", "guarded"]:
                self.pids.append(int(words[-1]))
                if boundary.endswith("in-flight"):
                    break
            if words[0] in ("at", "released"):
                break
        return harness

    @property
    def guardian(self) -> int:
        return self.pids[1]


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """An empty scene; whatever it started is dead afterwards."""
    made = Scene(tmp_path, tmp_path / "run-1", tmp_path / "world", tmp_path / "state")
    for path in (made.run_dir, made.world, made.state_dir):
        path.mkdir()
    monkeypatch.setenv("QUORATE_STATE", str(made.state_dir))
    node = {"name": "cp1", "address": "192.0.2.1", "roles": ["control-plane"]}
    cluster = {
        "format": 1,
        "name": "scene",
        "kubeconfig": "kubeconfig",
        "virtual_ip": {"address": "192.0.2.2", "port": 8443},
        "nodes": [node],
    }
    write_cluster(Cluster.model_validate(cluster), made.run_dir / "cluster.yaml")
    yield made
    for pid in made.pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
