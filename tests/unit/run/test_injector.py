"""Putting on and taking off: the journal is ahead, a void act is noticed, everything comes off."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import Any

import pytest

from quorate.harness.errors import (
    DriverError,
    InjectionFailed,
    InjectionUnproved,
    NodeUnreachable,
    RefusedError,
    StoreError,
    UndoFailed,
)
from quorate.harness.faults.arrangements.acts_do_nothing import ActsDoNothing
from quorate.harness.faults.arrangements.keepalived_backups_stopped import KeepalivedBackupsStopped
from quorate.harness.faults.contract import Proof
from quorate.harness.model.undo import Undo
from quorate.harness.run.injector import Target
from quorate.harness.transport import Reply
from quorate.harness.undo.journal import UndoJournal
from tests.unit.run.conftest import FileFault, Scene


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


def test_a_machine_that_is_slow_to_tell_that_it_is_off_is_asked_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = iter([Proof(False, "it says nothing"), Proof(False, "it says nothing")])
    undone = FileFault.undone

    def slow(self: FileFault, drivers: Any, *, plan: Any) -> Proof:
        return next(told, None) or undone(self, drivers, plan=plan)

    monkeypatch.setattr(FileFault, "undone", slow)
    scene.put_on()
    scene.injector.faults_off()
    assert scene.directory.of("undo_done")[0]["evidence"] == "it is off"
    assert next(told, None) is None


def test_what_never_shows_that_it_is_off_is_told_so(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FileFault, "undone", lambda *_, **__: Proof(False, "it says nothing"))
    scene.put_on()
    scene.injector.faults_off()
    (done,) = scene.directory.of("undo_done")
    assert (done["ok"], done["evidence"]) == (False, "it says nothing")


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
    assert scene.guardian.standing == ["start", "hand over"], "it goes on trying"


def test_a_disk_that_is_full_keeps_no_fault_on(scene: Scene) -> None:
    scene.put_on("cp1")
    scene.put_on("cp2")
    scene.directory.full = True
    with pytest.raises(StoreError, match="No space left"):
        scene.injector.faults_off()
    assert [n for n, argv in scene.commands() if argv == ("off",)] == ["cp2", "cp1"]
    assert not scene.injector.is_dirty
    scene.injector.disarm()
    assert scene.guardian.standing == ["start", "release"]


def test_a_settlement_that_cannot_be_written_down_is_handed_over(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StoreError("undo.jsonl: No space left on device")

    scene.put_on("cp1")
    scene.directory.full = True
    monkeypatch.setattr(UndoJournal, "settled", full)
    with pytest.raises(UndoFailed):
        scene.injector.faults_off()
    assert ("cp1", ("off",)) in scene.commands()
    scene.injector.disarm()
    assert scene.guardian.standing == ["start", "hand over"]
    assert scene.registry.list() == (scene.directory.path,)


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
    scene.transport.on("systemctl", "is-active", reply=Reply("inactive\n", returncode=3))
    scene.transport.on("systemctl", "is-active", reply=Reply("active\n"), times=3)
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


def test_a_switch_that_went_off_early_is_told_and_nothing_is_judged(scene: Scene) -> None:
    scene.put_on("cp1", "cp2")
    scene.transport.rebooted.add("cp2")
    scene.injector.faults_off()
    assert scene.directory.of("switch_went_off") == [{"injection": "file_put-1", "nodes": ["cp2"]}]
    (done,) = scene.directory.of("undo_done")
    assert done["ok"] is False
    assert "switch on cp2 was not armed any more" in done["evidence"]
    assert not scene.injector.is_dirty, "it is off all the same"


def test_a_switch_that_is_the_ordinary_way_back_may_go_off(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FileFault, "ended_by_switch", True)
    scene.put_on("cp1")
    scene.transport.rebooted.add("cp1")
    scene.injector.faults_off()
    assert scene.directory.of("undo_done")[0]["ok"] is True


def test_a_switch_that_cannot_be_asked_keeps_no_undo_waiting(scene: Scene) -> None:
    gone = Reply(error=NodeUnreachable("cp1", argv=["systemctl"], problem="no way"))
    scene.put_on("cp1")
    scene.transport.on("systemctl", "show", reply=gone, times=1)
    scene.injector.faults_off()
    assert scene.directory.of("undo_done")[0]["ok"] is True


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


def test_the_guard_looks_from_the_act_to_the_undo(scene: Scene) -> None:
    scene.put_on("cp1")
    assert scene.watcher.guarded_at == ["putting on file_put on cp1", "does file_put bite?"]
    assert scene.watcher.guarded
    scene.injector.faults_off()
    assert not scene.watcher.guarded


def test_no_fault_is_put_on_once_the_guard_has_tripped(scene: Scene) -> None:
    scene.put_on("cp1")
    scene.watcher.trips_at = "may file_put"
    with pytest.raises(RefusedError, match="guard"):
        scene.put_on("cp2")
    assert ("cp2", ("on",)) not in scene.commands()
    assert {undo.node for undo in scene.journal.pending()} == {"cp1"}


def test_the_guard_ends_the_waiting_for_a_proof(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[str] = []

    def not_yet(*_: object, **__: object) -> Proof:
        looks.append("looked")
        return Proof(False, "not yet")

    monkeypatch.setattr(FileFault, "proof", not_yet)
    scene.watcher.trips_at = "does file_put"
    with pytest.raises(InjectionUnproved):
        scene.put_on("cp1")
    assert looks == ["looked"]


def test_a_run_directory_that_was_removed_keeps_no_fault_on(scene: Scene) -> None:
    scene.put_on("cp1")
    shutil.rmtree(scene.directory.path)
    scene.injector.faults_off()
    assert ("cp1", ("off",)) in scene.commands()
    assert not scene.injector.is_dirty


def test_what_could_not_be_undone_is_dirty_although_its_journal_is_gone(scene: Scene) -> None:
    gone = Reply(error=NodeUnreachable("cp1", argv=["off"], problem="no way"))
    scene.put_on("cp1")
    shutil.rmtree(scene.directory.path)
    scene.transport.on("off", reply=gone)
    with pytest.raises(UndoFailed):
        scene.injector.faults_off()
    assert scene.injector.is_dirty


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


def test_what_is_held_is_journalled_before_it_is_made_and_let_go_last(scene: Scene) -> None:
    seen: list[list[str]] = []

    def held(name: str) -> Undo:
        return Undo(id=f"{name}:x", injection=name, node="harness", argv=(name,), text=name)

    def make() -> None:
        seen.append([undo.id for undo in scene.journal.pending()])

    scene.injector.hold(held("lease"), lambda: None)
    scene.injector.hold(held("ledger"), make)
    assert seen == [["ledger:x", "lease:x"]]
    scene.put_on()
    scene.injector.let_go()
    assert len(scene.journal.pending()) == 4, "nothing is let go while a fault is on"
    scene.injector.faults_off()
    scene.injector.let_go()
    assert [argv for node, argv in scene.commands() if node == "harness"] == [
        ("ledger",),
        ("lease",),
    ]
    assert scene.journal.read().clean


def test_what_could_not_be_made_is_taken_back_all_the_same(scene: Scene) -> None:
    def make() -> None:
        raise DriverError("forbidden")

    undo = Undo(id="ledger:x", injection="ledger", node="harness", argv=("away",), text="away")
    with pytest.raises(DriverError, match="forbidden"):
        scene.injector.hold(undo, make)
    scene.injector.let_go()
    assert ("harness", ("away",)) in scene.commands()
    assert not scene.injector.is_dirty


def test_a_node_that_is_gone_keeps_back_the_lease_alone(scene: Scene) -> None:
    gone = Reply(error=NodeUnreachable("w1", argv=["end"], problem="no way"))
    scene.transport.on("end", reply=gone, node="w1")
    for name, node in (("lease", "harness"), ("ledger", "harness"), ("end", "w1")):
        undo = Undo(
            id=f"{name}:x",
            injection=name,
            node=node,
            argv=(name,),
            text=name,
            confirm_timeout_s=0.1,
        )
        scene.injector.hold(undo, lambda: None)
    with pytest.raises(UndoFailed, match="end:x"):
        scene.injector.let_go()
    assert ("harness", ("ledger",)) in scene.commands(), "what can be taken back is"
    assert ("harness", ("lease",)) not in scene.commands(), "something of ours may be there yet"
    assert [undo.id for undo in scene.journal.pending()] == ["end:x", "lease:x"]
    scene.injector.disarm()
    assert scene.guardian.standing == ["start", "hand over"]
    assert scene.registry.list() == (scene.directory.path,), "until the node is there again"
