"""The write-ahead journal of a run: what has to be taken back, on disk before it is put on.

One JSON object a line, appended and fsynced (the directory too, when the file is new)::

    {"entry": "undo", "undo": {…}, "wall": "2026-01-01T00:00:00+00:00"}
    {"entry": "settled", "id": "…", "wall": "…"}

A last line without its newline was torn by a crash. If it cannot be read, `record` never returned,
so its act never ran: it is ignored, and cut off by the next append. A line in the middle that
cannot be read is damage: the rest is still settled, but never called clean.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from quorate.harness.errors import StoreError
from quorate.harness.model.undo import Undo
from quorate.harness.undo.durable import Sync, storing, sync_directory, write_all

JOURNAL_NAME = "undo.jsonl"


@dataclass(frozen=True)
class JournalState:
    """A journal as read: undos oldest first, settled ids, damaged lines (from 1), torn tail."""

    undos: tuple[Undo, ...] = ()
    settled: frozenset[str] = frozenset()
    damaged: tuple[int, ...] = ()
    torn: bool = False

    @property
    def pending(self) -> tuple[Undo, ...]:
        """What is not settled, newest first: the order to take it back in."""
        return tuple(undo for undo in reversed(self.undos) if undo.id not in self.settled)

    @property
    def clean(self) -> bool:
        """Nothing pending, and nothing unreadable that could be."""
        return not self.pending and not self.damaged


class UndoJournal:
    """The journal at ``path`` (a run's ``undo.jsonl``); the file is made by the first record."""

    def __init__(self, path: Path, *, sync: Sync = os.fsync) -> None:
        self.path = path
        self._sync = sync

    def record(self, undo: Undo) -> None:
        """Write an undo down; when this returns, it survives a power cut and the act may begin.

        Raises StoreError if it cannot be written, if its id was used before in this journal (it
        could be taken for settled), or if it could not be read back (`model_copy` checks nothing).
        """
        try:
            Undo.model_validate(undo.model_dump())
        except ValidationError as error:
            raise StoreError(f"{self.path}: {undo.id!r} would not be readable: {error}") from error
        if any(known.id == undo.id for known in self.read().undos):
            raise StoreError(f"{self.path}: an undo with the id {undo.id!r} is in it already")
        self._append({"entry": "undo", "undo": undo.model_dump(mode="json", exclude_none=True)})

    def settled(self, undo: Undo) -> None:
        """Write down that an undo was carried out and confirmed. Raises StoreError."""
        self._append({"entry": "settled", "id": undo.id})

    def pending(self) -> tuple[Undo, ...]:
        """What is still to be taken back, newest first. Raises StoreError if unreadable."""
        return self.read().pending

    def read(self) -> JournalState:
        """The whole journal from disk; empty where there is none. Raises StoreError."""
        with storing(self.path):
            try:
                content = self.path.read_bytes()
            except FileNotFoundError:
                return JournalState()
        return _parse(content)

    def _append(self, entry: dict[str, object]) -> None:
        entry["wall"] = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = json.dumps(entry, sort_keys=True).encode() + b"\n"
        with storing(self.path):
            is_new = not self.path.exists()
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                _mend_tail(descriptor)
                write_all(descriptor, line)
                self._sync(descriptor)
            finally:
                os.close(descriptor)
            if is_new:
                sync_directory(self.path.parent, sync=self._sync)


def _parse(content: bytes) -> JournalState:
    *lines, tail = content.split(b"\n")
    undos: list[Undo] = []
    settled: set[str] = set()
    damaged: list[int] = []
    for number, line in enumerate(lines, start=1):
        if not _take(line, undos, settled=settled):
            damaged.append(number)
    torn = bool(tail) and not _take(tail, undos, settled=settled)
    return JournalState(tuple(undos), frozenset(settled), tuple(damaged), torn)


def _take(line: bytes, undos: list[Undo], *, settled: set[str]) -> bool:
    """Sort one line into ``undos`` or ``settled``; False if it cannot be read."""
    try:
        entry = json.loads(line)
        if entry["entry"] == "undo":
            undos.append(Undo.model_validate(entry["undo"]))
        elif entry["entry"] == "settled" and isinstance(entry["id"], str):
            settled.add(entry["id"])
        else:
            return False
    except (ValueError, KeyError, TypeError, ValidationError):
        return False
    return True


def _mend_tail(descriptor: int) -> None:
    """End the file with a newline: complete a readable tail, cut an unreadable one off."""
    size = os.fstat(descriptor).st_size
    if size == 0 or os.pread(descriptor, 1, size - 1) == b"\n":
        return
    content = os.pread(descriptor, size, 0)
    start = content.rfind(b"\n") + 1
    if _take(content[start:], [], settled=set()):
        write_all(descriptor, b"\n")
    else:
        os.ftruncate(descriptor, start)
