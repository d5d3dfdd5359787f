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
from quorate.harness.run.injector import Injector, Safety, Target
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
            FileFault(), target=Target(nodes or ("cp1",)), facts=lambda: {"vip_holder": "cp1"}
        )


@pytest.fixture
def scene(tmp_path: Path, cluster: Cluster) -> Scene:
    from quorate.harness.drivers.systemd import SystemdDriver

    transport = MemoryTransport().on("systemctl", "show", reply=Reply("inactive\n"))
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
        world = scene.journal.pending(), list(scene.guardian.standing), scene.registry.list()
        seen.append((tuple(argv[:2]), world))
        return check(node, argv, **more)

    monkeypatch.setattr(scene.transport, "check", looking)
    assert scene.put_on() == "it is on"
    arming, acting = [one[1] for one in seen], [one[0] for one in seen]
    assert acting == [("systemd-run", "--unit=quorate-run-1-file-put-1-1"), ("on",)]
    for pending, standing, registered in arming:
        ids = [undo.id for undo in pending]
        assert ids == ["file_put-1:cp1", "file_put-1:switch:1"], "the switch is disarmed last"
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
    assert any(argv[0] == "systemd-run" for _, argv in scene.commands()), "armed all the same"
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
    assert len(scene.journal.pending()) == 4, "with a switch each"
    scene.transport.on("systemctl", "is-active", reply=Reply("active\n"))
    scene.injector.faults_off()
    assert len(scene.journal.pending()) == 4, "an arrangement is no fault"
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


def test_a_switch_runs_the_undo_at_the_watch_s_end_and_a_margin(scene: Scene) -> None:
    scene.injector.put_on(
        FileFault(), target=Target(("cp2",), watched_s=75.0), facts=lambda: {"vip_holder": "cp1"}
    )
    (armed,) = [(node, argv) for node, argv in scene.commands() if "--collect" in argv]
    node, argv = armed
    assert node == "cp2"
    assert "--on-active=105.0s" in argv
    assert argv[argv.index("--") + 1 :] == ("off",)
    scene.injector.faults_off()
    stopped = [argv for _, argv in scene.commands()][-2]
    assert stopped == ("systemctl", "stop", "quorate-run-1-file-put-1-1.timer")


def test_a_node_that_cannot_hold_a_switch_is_refused_untouched(scene: Scene) -> None:
    scene.transport.on("systemd-run", reply=Reply(returncode=127, stderr="not found"), node="cp2")
    with pytest.raises(RefusedError, match="cp2 has no systemd-run"):
        scene.put_on("cp1", "cp2")
    assert scene.journal.pending() == ()
    assert not [argv for _, argv in scene.commands() if argv == ("on",)]


def test_a_switch_that_cannot_be_armed_keeps_the_act_from_being_run(scene: Scene) -> None:
    scene.transport.on("systemd-run", reply=Reply(returncode=1, stderr="bus is gone"), times=1)
    scene.transport.on("systemd-run", reply=Reply(), times=1)
    with pytest.raises(InjectionFailed, match="bus is gone"):
        scene.put_on()
    assert ("cp1", ("on",)) not in scene.commands()
    scene.injector.faults_off()
    assert not scene.injector.is_dirty


def test_a_target_that_moved_while_the_switches_were_armed_is_left_alone(scene: Scene) -> None:
    def moved() -> None:
        assert any("--collect" in argv for _, argv in scene.commands()), "asked after the arming"
        raise RefusedError("vip-holder was cp1 and is not any more")

    with pytest.raises(InjectionFailed, match="not any more"):
        scene.injector.put_on(
            FileFault(), target=Target(("cp1",), still_so=moved), facts=lambda: {"vip_holder": None}
        )
    assert ("cp1", ("on",)) not in scene.commands()
    assert scene.directory.of("injection_started") == []
    assert [one.nodes for one in scene.injector.faults_on] == [("cp1",)]
    scene.injector.faults_off()
    assert scene.injector.faults_on == ()
    assert not scene.injector.is_dirty
