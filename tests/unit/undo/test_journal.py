from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from quorate.harness.errors import StoreError
from quorate.harness.model.undo import Undo
from quorate.harness.undo.journal import UndoJournal

MakeUndo = Callable[..., Undo]


@pytest.fixture
def journal(tmp_path: Path) -> UndoJournal:
    return UndoJournal(tmp_path / "undo.jsonl")


def test_pending_is_newest_first_and_without_what_is_settled(
    journal: UndoJournal, undo: MakeUndo
) -> None:
    first, second, third = undo("1"), undo("2"), undo("3", confirm_argv=("true",), timeout_s=7)
    assert journal.pending() == ()
    for each in (first, second, third):
        journal.record(each)
    journal.settled(second)
    assert UndoJournal(journal.path).pending() == (third, first)


def test_an_entry_is_synced_before_record_returns_and_so_is_the_directory(
    tmp_path: Path, undo: MakeUndo
) -> None:
    synced: list[tuple[str, int]] = []

    def sync(descriptor: int) -> None:
        status = os.fstat(descriptor)
        synced.append(("directory" if stat.S_ISDIR(status.st_mode) else "file", status.st_size))

    journal = UndoJournal(tmp_path / "undo.jsonl", sync=sync)
    journal.record(undo("1"))
    assert [kind for kind, _ in synced] == ["file", "directory"]
    assert synced[0][1] == journal.path.stat().st_size > 0
    journal.settled(undo("1"))
    assert [kind for kind, _ in synced] == ["file", "directory", "file"]


def test_a_journal_that_cannot_be_synced_refuses(tmp_path: Path, undo: MakeUndo) -> None:
    def sync(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(StoreError, match=r"undo\.jsonl: No space left"):
        UndoJournal(tmp_path / "undo.jsonl", sync=sync).record(undo())


def test_an_id_is_used_once_even_after_it_was_settled(journal: UndoJournal, undo: MakeUndo) -> None:
    journal.record(undo("1"))
    journal.settled(undo("1"))
    with pytest.raises(StoreError, match="'1' is in it already"):
        journal.record(undo("1"))


def test_a_journal_cut_at_any_byte_tells_no_lie(journal: UndoJournal, undo: MakeUndo) -> None:
    """Whatever prefix a crash leaves: acknowledged entries count, and the next append works."""
    journal.record(undo("1"))
    journal.record(undo("2"))
    before_settling = journal.path.stat().st_size
    journal.settled(undo("2"))
    content = journal.path.read_bytes()
    first = content.index(b"\n") + 1
    for size in range(len(content)):
        journal.path.write_bytes(content[:size])
        known = {each.id for each in journal.pending()}
        if size >= first:
            assert "1" in known, f"cut at {size}"
        if before_settling <= size < len(content) - 1:
            assert "2" in known, f"cut at {size}"
        journal.record(undo("3"))
        assert {each.id for each in journal.pending()} == known | {"3"}, f"cut at {size}"
        assert journal.read().damaged == (), f"cut at {size}"


def test_damage_in_the_middle_is_reported_and_hides_nothing_else(
    journal: UndoJournal, undo: MakeUndo
) -> None:
    for name in ("1", "2", "3"):
        journal.record(undo(name))
    lines = journal.path.read_bytes().splitlines(keepends=True)
    journal.path.write_bytes(lines[0] + b"\xff\x00garbage\n" + lines[2])
    state = journal.read()
    assert [each.id for each in state.pending] == ["3", "1"]
    assert state.damaged == (2,)
    assert not state.clean


def test_only_its_owner_reads_the_journal(journal: UndoJournal, undo: MakeUndo) -> None:
    journal.record(undo())
    assert stat.S_IMODE(journal.path.stat().st_mode) == 0o600


def test_what_could_not_be_read_back_is_not_written(tmp_path: Path, undo: MakeUndo) -> None:
    journal = UndoJournal(tmp_path / "undo.jsonl")
    with pytest.raises(StoreError, match="would not be readable"):
        journal.record(undo().model_copy(update={"confirm_timeout_s": 4000.0}))
    assert not journal.path.exists()
