"""Run directory → Timeline. Fast enough for a million samples; knows torn lines from damage."""

from __future__ import annotations

import json
import math
import operator
from array import array
from collections.abc import Iterator
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

from quorate.harness.errors import StoreError
from quorate.harness.model.register import Operation, operations_in
from quorate.harness.model.timeline import OUTCOMES, Event, SampleSeries, Timeline

_BATCH_LINES = 2000
"""Lines parsed by one call of the JSON parser: it costs half of one call a line."""

_CODES = {word: code for code, word in enumerate(OUTCOMES)}

_K, _DUE, _END, _OUTCOME = map(operator.itemgetter, ("k", "due", "end", "o"))


def read_timeline(path: Path, *, run_id: str) -> Timeline:
    """All events and samples below ``path``; StoreError where a file is damaged."""
    notes: list[str] = []
    events = _events(path / "events.jsonl", notes=notes)
    events.sort(key=lambda event: event.t)
    operations: list[Operation] = []
    series = {
        file.stem: _series(file, notes=notes, operations=operations)
        for file in sorted((path / "samples").glob("*.jsonl"))
    }
    return Timeline(
        run_id=run_id,
        events=tuple(events),
        series=series,
        operations=tuple(operations),
        sampler=_sampler(path / "sampler.json"),
        notes=tuple(notes),
    )


def _sampler(file: Path) -> dict[str, Any]:
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise StoreError(f"{file}: cannot be read: {error}") from None
    return value if isinstance(value, dict) else {}


def _events(file: Path, *, notes: list[str]) -> list[Event]:
    found = []
    for number, rows in _batches(file, notes=notes):
        for line, row in enumerate(rows, start=number):
            if not _is_event(row):
                raise StoreError(f"{file}:{line}: is no line of a run: {row!r:.80}")
            found.append(Event(t=float(row["t"]), kind=str(row["kind"]), data=row["data"]))
    return found


def _is_event(row: object) -> bool:
    if not isinstance(row, dict) or not {"t", "kind", "data"} <= row.keys():
        return False
    t = row["t"]
    timed = isinstance(t, int | float) and not isinstance(t, bool) and math.isfinite(t)
    return timed and isinstance(row["data"], dict)


def _batches(file: Path, *, notes: list[str]) -> Iterator[tuple[int, list[Any]]]:
    """(number of the first line, what each line holds); a torn last line becomes a note."""
    number = 1
    try:
        with file.open("rb") as lines:
            while batch := list(islice(lines, _BATCH_LINES)):
                if not batch[-1].endswith(b"\n"):
                    batch.pop()
                    notes.append(f"{file.name}: the last line is torn and left out")
                yield number, _parse(batch, file=file, number=number)
                number += len(batch)
    except FileNotFoundError:
        return
    except OSError as error:
        raise StoreError(f"{file}: cannot be read: {error}") from None


def _parse(batch: list[bytes], *, file: Path, number: int) -> list[Any]:
    try:
        rows = json.loads(b"[" + b",".join(batch) + b"]")
    except ValueError:
        rows = None
    if isinstance(rows, list) and len(rows) == len(batch):
        return rows
    for offset, line in enumerate(batch):  # once more, to name the line
        try:
            json.loads(line)
        except ValueError:
            raise StoreError(f"{file}:{number + offset}: damaged: {line!r:.80}") from None
    raise StoreError(f"{file}: damaged at or after line {number}")


class _Texts:
    """Numbers for texts that stand again and again; 0 is the empty one."""

    def __init__(self) -> None:
        self.numbers = {"": 0}

    def number(self, text: str) -> int:
        return self.numbers.setdefault(text, len(self.numbers))


class _Columns:
    """A growing series. Whole batches at a time: a loop over rows costs as much as their JSON."""

    def __init__(self, probe: str) -> None:
        self.probe = probe
        self.k, self.due, self.end = array("q"), array("d"), array("d")
        self.outcome = bytearray()
        self.detail, self.peer = array("I"), array("I")
        self.stalled: dict[int, float] = {}
        self.operations: list[Operation] = []
        self.texts = _Texts()

    def take(self, rows: list[Any]) -> None:
        """Appends samples; KeyError, TypeError, ValueError or OverflowError for what is none."""
        number, first = self.texts.number, len(self.k)
        self.k.extend(map(_K, rows))
        self.due.extend(map(_DUE, rows))
        self.end.extend(map(_END, rows))
        self.outcome.extend(map(_CODES.__getitem__, map(_OUTCOME, rows)))
        self.detail.extend([number(row["d"]) if "d" in row else 0 for row in rows])
        self.peer.extend([number(row["p"]) if "p" in row else 0 for row in rows])
        for index, row in enumerate(rows, start=first):
            if "s" in row:
                self.stalled[index] = float(row["s"])
            if "r" in row or "w" in row:
                self.operations += operations_in(row, by=self.probe)


def _series(file: Path, *, notes: list[str], operations: list[Operation]) -> SampleSeries:
    columns = _Columns(file.stem)
    for number, rows in _batches(file, notes=notes):
        try:
            columns.take(rows)
        except (KeyError, TypeError, ValueError, OverflowError):
            raise StoreError(f"{file}:{number + _first_wrong(rows)}: is no sample") from None
    operations += columns.operations
    found = SampleSeries(
        probe=file.stem,
        k=columns.k,
        due=columns.due,
        end=columns.end,
        outcome=bytes(columns.outcome),
        detail=columns.detail,
        peer=columns.peer,
        texts=tuple(columns.texts.numbers),
        stalled_s=columns.stalled,
    )
    return _sorted(found, file=file)


def _first_wrong(rows: list[Any]) -> int:
    """The index of the first row that is no sample, found one by one."""
    for index, row in enumerate(rows):
        try:
            _Columns("").take([row])
        except (KeyError, TypeError, ValueError, OverflowError):
            return index
    return 0


def _sorted(series: SampleSeries, *, file: Path) -> SampleSeries:
    """In the order of ticks: the sampler writes a sample when it is over, not when it began."""
    k = series.k
    if all(map(operator.lt, k, islice(k, 1, None))):
        return series
    order = array("q", sorted(range(len(k)), key=k.__getitem__))
    for before, after in pairwise(order):
        if k[before] == k[after]:
            raise StoreError(f"{file}: has tick {k[after]} twice")
    moved = {old: new for new, old in enumerate(order) if old in series.stalled_s}
    return SampleSeries(
        probe=series.probe,
        k=array("q", map(k.__getitem__, order)),
        due=array("d", map(series.due.__getitem__, order)),
        end=array("d", map(series.end.__getitem__, order)),
        outcome=bytes(map(series.outcome.__getitem__, order)),
        detail=array("I", map(series.detail.__getitem__, order)),
        peer=array("I", map(series.peer.__getitem__, order)),
        texts=series.texts,
        stalled_s={moved[i]: value for i, value in series.stalled_s.items()},
    )
