from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from quorate.harness.errors import (
    CommandFailed,
    InjectionFailed,
    InjectionUnproved,
    RefusedError,
    StoreError,
    UndoFailed,
)
from quorate.harness.model.undo import Undo
from quorate.harness.undo.injection import Injection, InjectionState
from quorate.harness.undo.journal import UndoJournal

MakeUndo = Callable[..., Undo]


@pytest.fixture
def journal(tmp_path: Path) -> UndoJournal:
    return UndoJournal(tmp_path / "undo.jsonl")


@pytest.fixture
def injection(journal: UndoJournal, undo: MakeUndo) -> Injection:
    return Injection("fault-1", undos=[undo("1"), undo("2")], journal=journal)


def test_every_undo_is_on_disk_when_the_act_begins(
    injection: Injection, journal: UndoJournal
) -> None:
    seen: list[str] = []
    injection.inject(lambda: seen.extend(undo.id for undo in journal.pending()))
    assert seen == ["2", "1"]
    assert injection.state is InjectionState.ACTIVE


def test_the_act_is_not_run_if_an_undo_cannot_be_written_down(
    tmp_path: Path, undo: MakeUndo
) -> None:
    acts: list[str] = []
    injection = Injection("f", undos=[undo()], journal=UndoJournal(tmp_path / "no" / "such"))
    with pytest.raises(StoreError):
        injection.inject(lambda: acts.append("acted"))
    assert acts == []
    assert injection.state is InjectionState.ACTIVE
    injection.undo(lambda each: None)
    assert injection.state is InjectionState.UNDONE


def test_an_act_that_failed_may_have_bitten(injection: Injection) -> None:
    def act() -> None:
        raise CommandFailed("cp1", argv=["x"], returncode=1, stderr="half-way")

    with pytest.raises(InjectionFailed, match="half-way"):
        injection.inject(act)
    assert injection.state is InjectionState.ACTIVE
    done: list[str] = []
    injection.undo(lambda undo: done.append(undo.id))
    assert done == ["2", "1"]
    assert injection.state is InjectionState.UNDONE


def test_unproved_is_said_and_stays_active(injection: Injection) -> None:
    injection.inject(lambda: None)
    with pytest.raises(InjectionUnproved, match="same boot id"):
        injection.prove(lambda: (False, "same boot id"))
    assert injection.proved is False
    assert injection.state is InjectionState.ACTIVE
    assert injection.prove(lambda: (True, "other boot id")) == "other boot id"
    assert injection.proved is True


def test_dirty_is_left_only_by_an_undo_that_succeeds(injection: Injection) -> None:
    def fail(_undo: Undo) -> None:
        raise StoreError("no")

    injection.inject(lambda: None)
    for _ in range(2):
        with pytest.raises(UndoFailed):
            injection.undo(fail)
        assert injection.state is InjectionState.DIRTY
    injection.undo(lambda undo: None)
    assert injection.state is InjectionState.UNDONE


def test_settled_by_somebody_else_is_undone(injection: Injection, journal: UndoJournal) -> None:
    injection.inject(lambda: None)
    for undo in journal.pending():
        journal.settled(undo)
    injection.undo(lambda undo: pytest.fail("undone twice"))
    assert injection.state is InjectionState.UNDONE


def test_a_journal_that_was_removed_keeps_nothing_on(
    injection: Injection, journal: UndoJournal
) -> None:
    injection.inject(lambda: None)
    journal.path.unlink()

    def fail(_undo: Undo) -> None:
        raise StoreError("no")

    with pytest.raises(UndoFailed):
        injection.undo(fail)
    assert injection.state is InjectionState.DIRTY
    done: list[str] = []
    injection.undo(lambda undo: done.append(undo.id))
    assert done == ["2", "1"]
    assert injection.state is InjectionState.UNDONE


def test_a_fault_lives_once(injection: Injection) -> None:
    with pytest.raises(RefusedError, match="planned"):
        injection.prove(lambda: (True, ""))
    injection.inject(lambda: None)
    injection.undo(lambda undo: None)
    injection.undo(lambda undo: pytest.fail("undone twice"))
    with pytest.raises(RefusedError, match="undone"):
        injection.inject(lambda: None)
