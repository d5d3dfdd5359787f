from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from quorate.harness.errors import StoreError, UndoFailed
from quorate.harness.model.undo import Undo
from quorate.harness.undo.journal import UndoJournal
from quorate.harness.undo.pending import PendingRuns
from quorate.harness.undo.settle import LEASE, settle, settle_run

MakeUndo = Callable[..., Undo]


@pytest.fixture
def journal(tmp_path: Path, undo: MakeUndo) -> UndoJournal:
    """Three undos, 1 to 3, pending."""
    journal = UndoJournal(tmp_path / "undo.jsonl")
    for name in ("1", "2", "3"):
        journal.record(undo(name))
    return journal


def test_newest_first_and_once(journal: UndoJournal) -> None:
    done: list[str] = []
    for _ in range(2):
        settle(journal, journal.pending(), lambda undo: done.append(undo.id))
    assert done == ["3", "2", "1"]
    assert journal.read().clean


def test_one_that_fails_does_not_stop_the_others(journal: UndoJournal) -> None:
    done: list[str] = []

    def execute(undo: Undo) -> None:
        if undo.id == "2":
            raise ZeroDivisionError("a bug, not one of our errors")
        done.append(undo.id)

    with pytest.raises(UndoFailed) as caught:
        settle(journal, journal.pending(), execute)
    assert done == ["3", "1"]
    assert [undo.id for undo in journal.pending()] == ["2"]
    assert [name for name, _ in caught.value.failures] == ["2"]
    assert caught.value.exit_code == 4
    group = caught.value.__cause__
    assert isinstance(group, ExceptionGroup)
    assert isinstance(group.exceptions[0], ZeroDivisionError)


def test_only_those_asked_for(journal: UndoJournal, undo: MakeUndo) -> None:
    done: list[str] = []
    asked = [undo("2"), undo("never recorded")]
    settle(journal, asked, lambda each: done.append(each.id))
    assert done == ["2"]
    assert [each.id for each in journal.pending()] == ["3", "1"]


def test_a_settlement_that_cannot_be_written_down_is_not_called_done(
    journal: UndoJournal, tmp_path: Path
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(UndoFailed, match="No space left"):
        settle(UndoJournal(journal.path, sync=full), journal.pending(), lambda undo: None)


def test_a_damaged_journal_is_settled_but_never_called_clean(journal: UndoJournal) -> None:
    with journal.path.open("ab") as file:
        file.write(b"{}\n")
    done: list[str] = []
    with pytest.raises(UndoFailed, match="line 4: cannot be read"):
        settle(journal, journal.pending(), lambda undo: done.append(undo.id))
    assert done == ["3", "2", "1"]


def test_the_lease_stays_as_long_as_anything_else_does(tmp_path: Path, undo: MakeUndo) -> None:
    journal = UndoJournal(tmp_path / "undo.jsonl")
    journal.record(undo("lease:run", injection=LEASE))
    journal.record(undo("1"))
    done: list[str] = []
    settle(journal, [journal.pending()[-1]], lambda each: done.append(each.id))
    assert done == [], "nor when it alone is asked for"

    def stuck(each: Undo) -> None:
        done.append(each.id)
        raise StoreError("no")

    with pytest.raises(UndoFailed):
        settle(journal, journal.pending(), stuck)
    assert done == ["1"]
    settle(journal, journal.pending(), lambda each: done.append(each.id))
    assert done == ["1", "1", "lease:run"]
    assert journal.read().clean


def test_the_lease_stays_where_a_damaged_line_may_hide_an_undo(
    tmp_path: Path, undo: MakeUndo
) -> None:
    journal = UndoJournal(tmp_path / "undo.jsonl")
    journal.record(undo("lease:run", injection=LEASE))
    with journal.path.open("ab") as file:
        file.write(b"{}\n")
    with pytest.raises(UndoFailed, match="line 2"):
        settle(journal, journal.pending(), lambda each: pytest.fail("let go"))


def test_a_second_settlement_waits_and_finds_nothing_left(journal: UndoJournal) -> None:
    done: list[str] = []
    begun, go_on = threading.Event(), threading.Event()

    def slowly(undo: Undo) -> None:
        done.append(f"first {undo.id}")
        begun.set()
        go_on.wait(10)

    pending = journal.pending()
    first = threading.Thread(target=settle, args=(journal, pending, slowly))
    second = threading.Thread(
        target=settle, args=(journal, pending, lambda undo: done.append(f"second {undo.id}"))
    )
    first.start()
    assert begun.wait(10)
    second.start()
    second.join(0.2)
    assert second.is_alive()
    go_on.set()
    first.join(10)
    second.join(10)
    assert done == ["first 3", "first 2", "first 1"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_waits_until_everything_is_settled(
    journal: UndoJournal, number: signal.Signals
) -> None:
    done: list[str] = []
    delivered: list[int] = []
    before = signal.signal(number, lambda caught, _frame: delivered.append(caught))

    def execute(undo: Undo) -> None:
        os.kill(os.getpid(), number)
        assert delivered == []
        done.append(undo.id)

    try:
        settle(journal, journal.pending(), execute)
    finally:
        signal.signal(number, before)
    assert done == ["3", "2", "1"]
    assert delivered == [number]


def test_a_run_leaves_the_registry_only_when_all_is_settled(tmp_path: Path, undo: MakeUndo) -> None:
    run_dir, registry = tmp_path / "run-1", PendingRuns(tmp_path / "state")
    run_dir.mkdir()
    registry.add(run_dir)
    journal = UndoJournal(run_dir / "undo.jsonl")
    journal.record(undo("1"))

    def fail(_undo: Undo) -> None:
        raise StoreError("no")

    with pytest.raises(UndoFailed):
        settle_run(run_dir, execute=fail, registry=registry)
    assert registry.list() == (run_dir,)
    settled = settle_run(run_dir, execute=lambda each: None, registry=registry)
    assert [each.id for each in settled] == ["1"]
    assert registry.list() == ()


def test_a_run_that_recorded_nothing_is_taken_off_the_registry(tmp_path: Path) -> None:
    registry = PendingRuns(tmp_path / "state")
    registry.add(tmp_path / "run-1")
    assert settle_run(tmp_path / "run-1", execute=lambda each: None, registry=registry) == ()
    assert registry.list() == ()
