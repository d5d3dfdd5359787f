"""An injector over nodes that only record, with everything that it leaves behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.systemd import SystemdDriver
from quorate.harness.errors import StoreError
from quorate.harness.faults.contract import Act, Fault, Plan, Proof
from quorate.harness.model.cluster import Cluster
from quorate.harness.model.undo import Undo
from quorate.harness.run.injector import Injector, Safety, Target
from quorate.harness.transport import CommandResult, MemoryTransport
from quorate.harness.undo.journal import JOURNAL_NAME, UndoJournal
from quorate.harness.undo.pending import PendingRuns


@dataclass
class Clock:
    time: float = 0.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


class FileFault(Fault):
    """On while a command called `on` was the last one run."""

    name: ClassVar[str] = "file_put"
    summary: ClassVar[str] = "for tests"
    acts_by: ClassVar[str] = ""
    proved_by: ClassVar[str] = ""
    undone_by: ClassVar[str] = ""
    without_harness: ClassVar[str] = ""
    proof_timeout_s: ClassVar[float] = 1.0

    def prepare(
        self, drivers: Drivers, *, nodes: Sequence[str], arguments: Mapping[str, object]
    ) -> Mapping[str, str]:
        return {"was": "off"}

    def undos(self, drivers: Drivers, *, plan: Plan) -> Sequence[Undo]:
        return [
            Undo(
                id=f"{plan.injection}:{node}",
                injection=plan.injection,
                node=node,
                argv=("off",),
                confirm_timeout_s=0.01,
                text=f"off on {node}",
            )
            for node in plan.nodes
        ]

    def acts(self, drivers: Drivers, *, plan: Plan) -> Sequence[Act]:
        return [Act(node, ("on",)) for node in plan.nodes]

    def proof(self, drivers: Drivers, *, plan: Plan) -> Proof:
        transport = drivers.transport
        assert isinstance(transport, MemoryTransport)
        on = ("on",) in [call.argv for call in transport.calls]
        return Proof(on, "it is on" if on else "it is not on")

    def undone(self, drivers: Drivers, *, plan: Plan) -> Proof:
        return Proof(True, "it is off")


@dataclass
class Nodes(MemoryTransport):
    """Timers are active from being armed to being stopped; none on a node that was rebooted."""

    rebooted: set[str] = field(default_factory=set)

    def run(self, node: str, argv: Sequence[str], **more: Any) -> CommandResult:
        said = super().run(node, argv, **more)
        if tuple(argv[:2]) != ("systemctl", "show"):
            return said
        stopped = ("systemctl", "stop", argv[-1]) in [call.argv for call in self.calls]
        active = not stopped and node not in self.rebooted
        return replace(said, stdout="active\n" if active else "inactive\n")


@dataclass
class Directory:
    path: Path
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    full: bool = False

    def append_event(self, kind: str, /, **data: Any) -> None:
        if self.full:
            raise StoreError("events.jsonl: No space left on device")
        self.events.append((kind, data))

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [data for name, data in self.events if name == kind]


class Watcher:
    """Its guard trips while it waits for work whose name begins with `trips_at`."""

    def __init__(self) -> None:
        self.broken = ""
        self.guarded = self.tripped = False
        self.trips_at = "never"
        self.guarded_at: list[str] = []

    def beside(self, work: Any, *, what: str) -> Any:
        result = work()
        if self.guarded:
            self.guarded_at.append(what)
            self.tripped = self.tripped or what.startswith(self.trips_at)
        return result


@dataclass
class Guardian:
    standing: list[str] = field(default_factory=list)

    def start(self, run_dir: Path) -> None:
        self.standing.append("start")

    def release(self) -> None:
        self.standing.append("release")

    def hand_over(self) -> None:
        self.standing.append("hand over")


@dataclass
class Scene:
    """An injector over a transport that records, with what it leaves behind."""

    injector: Injector
    transport: Nodes
    directory: Directory
    guardian: Guardian
    watcher: Watcher
    registry: PendingRuns

    @property
    def journal(self) -> UndoJournal:
        return UndoJournal(self.directory.path / JOURNAL_NAME)

    def commands(self) -> list[tuple[str, tuple[str, ...]]]:
        return [(call.node, call.argv) for call in self.transport.calls]

    def put_on(self, *nodes: str) -> str:
        return self.injector.put_on(
            FileFault(), target=Target(nodes or ("cp1",)), facts=lambda: {"vip_holder": "cp1"}
        )


@pytest.fixture
def scene(tmp_path: Path, cluster: Cluster) -> Scene:
    transport = Nodes()
    drivers: Any = Drivers.__new__(Drivers)
    for name, value in {
        "cluster": cluster,
        "transport": transport,
        "clock": Clock(),
        "systemd": SystemdDriver(transport),
    }.items():
        object.__setattr__(drivers, name, value)
    run_dir = tmp_path / "run-1"
    run_dir.mkdir()
    directory, guardian = Directory(run_dir), Guardian()
    registry = PendingRuns(tmp_path / "state")
    loose: Any = directory
    watcher: Any = Watcher()
    safety: Any = Safety(registry, guardian)  # type: ignore[arg-type]
    injector = Injector(loose, drivers=drivers, acting=transport, watcher=watcher, safety=safety)
    return Scene(injector, transport, directory, guardian, watcher, registry)
