"""Putting on and taking off: the journal is ahead, a void act is noticed, everything comes off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pytest

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.errors import (
    InjectionFailed,
    InjectionUnproved,
    NodeUnreachable,
    RefusedError,
    UndoFailed,
)
from quorate.harness.faults.arrangements.acts_do_nothing import ActsDoNothing
from quorate.harness.faults.arrangements.keepalived_backups_stopped import KeepalivedBackupsStopped
from quorate.harness.faults.contract import Act, Fault, Plan, Proof
from quorate.harness.model.cluster import Cluster
from quorate.harness.model.undo import Undo
from quorate.harness.run.injector import Injector, Safety
from quorate.harness.transport import MemoryTransport, Reply
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

    def prepare(self, drivers: Drivers, *, nodes: Sequence[str]) -> Mapping[str, str]:
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
class Directory:
    path: Path
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def append_event(self, kind: str, /, **data: Any) -> None:
        self.events.append((kind, data))

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [data for name, data in self.events if name == kind]


class Watcher:
    broken = ""

    def beside(self, work: Any, *, what: str) -> Any:
        return work()


@dataclass
class Guardian:
    standing: list[str] = field(default_factory=list)

    def start(self, run_dir: Path) -> None:
        self.standing.append("start")

    def release(self) -> None:
        self.standing.append("release")


@dataclass
class Scene:
    """An injector over a transport that records, with what it leaves behind."""

    injector: Injector
    transport: MemoryTransport
    directory: Directory
    guardian: Guardian
    registry: PendingRuns

    @property
    def journal(self) -> UndoJournal:
        return UndoJournal(self.directory.path / JOURNAL_NAME)

    def commands(self) -> list[tuple[str, tuple[str, ...]]]:
        return [(call.node, call.argv) for call in self.transport.calls]

    def put_on(self, *nodes: str) -> str:
        return self.injector.put_on(
            FileFault(), nodes=nodes or ("cp1",), arguments={}, facts=lambda: {"vip_holder": "cp1"}
        )


@pytest.fixture
def scene(tmp_path: Path, cluster: Cluster) -> Scene:
    from quorate.harness.drivers.systemd import SystemdDriver

    transport = MemoryTransport()
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
    return Scene(injector, transport, directory, guardian, registry)


def test_a_fault_is_journalled_and_guarded_before_it_acts(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    check = scene.transport.check

    def looking(node: str, argv: Sequence[str], **more: Any) -> Any:
        seen.append((scene.journal.pending(), list(scene.guardian.standing), scene.registry.list()))
        return check(node, argv, **more)

    monkeypatch.setattr(scene.transport, "check", looking)
    assert scene.put_on() == "it is on"
    ((pending, standing, registered),) = seen
    assert [undo.id for undo in pending] == ["file_put-1:cp1"]
    assert standing == ["start"]
    assert registered == (scene.directory.path,)
    assert [kind for kind, _ in scene.directory.events] == [
        "injection_started",
        "injection_acted",
        "injection_proved",
    ]
    assert scene.directory.of("injection_started")[0]["facts"] == {"vip_holder": "cp1"}


def test_off_is_proved_and_the_run_is_struck_off(scene: Scene) -> None:
    scene.put_on()
    scene.injector.faults_off()
    assert scene.directory.of("undo_done") == [
        {"injection": "file_put-1", "ok": True, "evidence": "it is off"}
    ]
    assert not scene.injector.is_dirty
    scene.injector.disarm()
    assert scene.guardian.standing == ["start", "release"]
    assert scene.registry.list() == ()
    before = scene.commands()
    scene.injector.faults_off()
    assert scene.commands() == before, "what is off is not taken off again"


def test_an_act_replaced_by_true_is_noticed(scene: Scene) -> None:
    scene.injector.arrange(ActsDoNothing(), holder="cp1")
    with pytest.raises(InjectionUnproved, match="it is not on"):
        scene.put_on()
    assert ("cp1", ("true",)) in scene.commands()
    assert scene.directory.of("injection_proved")[0]["ok"] is False
    scene.injector.faults_off()
    assert scene.directory.of("undo_done")[0]["ok"] is True, "nothing was on, and it is off"


def test_an_act_that_fails_is_undone_like_one_that_did_not(scene: Scene) -> None:
    scene.transport.on("on", reply=Reply(returncode=1, stderr="no"))
    with pytest.raises(InjectionFailed, match="no"):
        scene.put_on()
    scene.injector.faults_off()
    assert ("cp1", ("off",)) in scene.commands()
    assert not scene.injector.is_dirty


def test_an_undo_that_fails_keeps_the_others_going_and_the_run_pending(scene: Scene) -> None:
    gone = Reply(error=NodeUnreachable("cp2", argv=["off"], problem="no way"))
    scene.put_on("cp1", "cp2", "cp3")
    scene.transport.on("off", reply=gone, node="cp2")
    with pytest.raises(UndoFailed, match="file_put-1:cp2"):
        scene.injector.faults_off()
    off = [node for node, argv in scene.commands() if argv == ("off",)]
    assert set(off) == {"cp1", "cp2", "cp3"}
    assert scene.directory.of("undo_done")[0]["ok"] is False
    assert scene.injector.is_dirty
    scene.injector.disarm()
    assert scene.registry.list() == (scene.directory.path,), "`quorate undo` finds it"


def test_newest_first(scene: Scene) -> None:
    scene.put_on("cp1")
    scene.put_on("cp2")
    scene.injector.faults_off()
    assert [n for n, argv in scene.commands() if argv == ("off",)] == ["cp2", "cp1"]
    assert [one["injection"] for one in scene.directory.of("undo_done")] == [
        "file_put-2",
        "file_put-1",
    ]


def test_an_arrangement_goes_through_the_same_journal(scene: Scene) -> None:
    def answers() -> None:
        scene.transport.on("systemctl", "is-active", reply=Reply("inactive\n", returncode=3))

    answers()
    scene.injector.arrange(KeepalivedBackupsStopped(), holder="cp2")
    stopped = [n for n, argv in scene.commands() if argv == ("systemctl", "stop", "keepalived")]
    assert stopped == ["cp1", "cp3"], "every one but the holder"
    assert len(scene.journal.pending()) == 2
    scene.transport.on("systemctl", "is-active", reply=Reply("active\n"))
    scene.injector.faults_off()
    assert len(scene.journal.pending()) == 2, "an arrangement is no fault"
    scene.injector.arrangements_off()
    assert scene.directory.of("arrangement_undone") == [
        {"name": "keepalived_backups_stopped", "ok": True}
    ]
    assert not scene.injector.is_dirty


def test_an_arrangement_that_is_not_there_is_refused(scene: Scene) -> None:
    scene.transport.on("systemctl", "is-active", reply=Reply("active\n"))
    with pytest.raises(RefusedError, match="still runs on cp1, cp3"):
        scene.injector.arrange(KeepalivedBackupsStopped(), holder="cp2")
    assert scene.directory.of("arrangement_applied") == []


def test_nothing_is_armed_for_nothing(scene: Scene) -> None:
    scene.injector.arrange(ActsDoNothing(), holder="cp1")
    scene.injector.disarm()
    assert scene.guardian.standing == []
    assert scene.registry.list() == ()
