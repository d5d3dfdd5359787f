"""The state of a fake cluster, as files that several processes read and write."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import uuid
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "sampling"))
from held import processes

API_PORT = 6443
VIP_PORT = 8443
FAILOVER_S = 1.0
"""How long nobody holds the VIP after its holder has gone."""


class World:
    """nodes.json (name → address, and the VIP), off/<node>, stopped/<node>, boot/<node>, holder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        described = json.loads((path / "nodes.json").read_text())
        self.nodes: dict[str, str] = described["nodes"]
        self.vip: str = described["vip"]

    @classmethod
    def create(cls, path: Path, *, nodes: dict[str, str], vip: str) -> World:
        for folder in ("off", "stopped", "boot"):
            (path / folder).mkdir(parents=True)
        (path / "nodes.json").write_text(json.dumps({"nodes": nodes, "vip": vip}))
        (path / "holder").write_text(next(iter(nodes)))
        world = cls(path)
        for name in nodes:
            world.boot(name)
        return world

    def is_off(self, node: str) -> bool:
        return (self.path / "off" / node).exists()

    def is_stopped(self, node: str) -> bool:
        """Whether keepalived is stopped there."""
        return (self.path / "stopped" / node).exists()

    def version(self, node: str) -> str:
        """Of its kubelet."""
        file = self.path / "versions" / node
        return file.read_text() if file.exists() else "v1"

    def upgrade(self, node: str, version: str) -> None:
        (self.path / "versions").mkdir(exist_ok=True)
        self._write(f"versions/{node}", version)

    def boot_id(self, node: str) -> str:
        return (self.path / "boot" / node).read_text()

    def boot(self, node: str) -> None:
        self._write(f"boot/{node}", str(uuid.uuid4()))

    def power(self, action: str, node: str) -> None:
        switch = self.path / "off" / node
        if action == "off":
            switch.touch()
            self.sampler_ends(node)
        elif switch.exists():
            self.boot(node)
            switch.unlink()

    @property
    def run(self) -> Path:
        """The /run/quorate of the one node that has a sampler."""
        return self.path / "run"

    def sampler_starts(self, node: str) -> None:
        self._write("sampler", node)

    def sampler_ends(self, node: str) -> None:
        """All that is left of it goes, where it is on that node."""
        if not (self.path / "sampler").exists() or (self.path / "sampler").read_text() != node:
            return
        for pid in processes(self.run):
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.run, ignore_errors=True)

    @property
    def holder(self) -> str:
        return (self.path / "holder").read_text()

    def elect(self) -> None:
        able = [n for n in self.nodes if not self.is_off(n) and not self.is_stopped(n)]
        self._write("holder", able[0] if able else "")

    def show_objects(self, paths: list[str]) -> None:
        """What is kept of what the run made, for the test to see."""
        if self.objects != paths:
            self._write("objects", json.dumps(paths))

    @property
    def objects(self) -> list[str] | None:
        file = self.path / "objects"
        found: list[str] | None = json.loads(file.read_text()) if file.exists() else None
        return found

    def holds(self, node: str) -> bool:
        return self.holder == node and not self.is_off(node)

    def _write(self, name: str, text: str) -> None:
        draft = self.path / f"{name}.draft"
        draft.write_text(text)
        draft.replace(self.path / name)
