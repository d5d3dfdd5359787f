"""Run directory → Timeline. Fast enough for a million samples; knows torn lines from damage."""

from __future__ import annotations

import json
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


def read_timeline(path: Path, *, run_id: str) -> Timeline:
    """All events and samples below ``path``; StoreError where a file is damaged."""
    notes: list[str] = []
    events_file = path / "events.jsonl"
    events = [
        Event(t=float(row["t"]), kind=str(row["kind"]), data=row["data"])
        for row in _rows(events_file, notes=notes, keys=("t", "kind", "data"))
    ]
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


def _rows(file: Path, *, notes: list[str], keys: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """Each line as a mapping that has ``keys``; a torn last line becomes a note."""
    number = 0
    try:
        with file.open("rb") as lines:
            while batch := list(islice(lines, _BATCH_LINES)):
                if not batch[-1].endswith(b"\n"):
                    batch.pop()
                    notes.append(f"{file.name}: the last line is torn and left out")
                for row in _parse(batch, file=file, number=number):
                    number += 1
                    if not isinstance(row, dict) or any(key not in row for key in keys):
                        raise StoreError(f"{file}:{number}: is no line of a run: {row!r:.80}")
                    yield row
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
    for offset, line in enumerate(batch, start=1):  # once more, to name the line
        try:
            json.loads(line)
        except ValueError:
            raise StoreError(f"{file}:{number + offset}: damaged: {line!r:.80}") from None
    raise StoreError(f"{file}: damaged after line {number}")


class _Texts:
    """Numbers for texts that stand again and again; 0 is the empty one."""

    def __init__(self) -> None:
        self.numbers = {"": 0}

    def number(self, text: str) -> int:
        return self.numbers.setdefault(text, len(self.numbers))


def _series(file: Path, *, notes: list[str], operations: list[Operation]) -> SampleSeries:
    k, due, end = array("q"), array("d"), array("d")
    detail, peer = array("I"), array("I")
    outcome = bytearray()
    stalled: dict[int, float] = {}
    texts = _Texts()
    index = -1
    try:
        for index, row in enumerate(_rows(file, notes=notes, keys=("k", "due", "end", "o"))):
            k.append(row["k"])
            due.append(row["due"])
            end.append(row["end"])
            outcome.append(_CODES[row["o"]])
            detail.append(texts.number(row.get("d", "")))
            peer.append(texts.number(row.get("p", "")))
            if "s" in row:
                stalled[index] = float(row["s"])
            if "r" in row or "w" in row:
                operations += operations_in(row, by=file.stem)
    except (KeyError, TypeError, ValueError, OverflowError):
        raise StoreError(f"{file}:{index + 1}: is no sample") from None
    names = tuple(texts.numbers)
    found = SampleSeries(file.stem, k, due, end, bytes(outcome), detail, peer, names, stalled)
    return _sorted(found, file=file)


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
