"""Is there one order of a register's operations that explains all that was seen?

Linearizability (Herlihy and Wing, 1990): each operation seems to take effect at one instant between
its beginning and its end. In general the question is NP-complete, and checkers search with a budget
(Wing and Gong 1993, Lowe 2017). Where it is known which write each read has seen, and in which
order the writes took effect, it is answered in O(n log n) without a search (Gibbons and Korach,
"Testing Shared Memories", 1997), so there is no budget here that could run out. Compare and swap
makes both known: no value is written twice, and every state carries a resourceVersion, which each
write raises. The only order that can do is by version, a write before the reads of its state, and
it explains everything exactly where

- a version is never seen with two values, and a value does not come back once another one was seen,
- every value was tried by a write,
- every write that took effect was made on the version that comes right before its own,
- what began after an operation had ended has no lower version, and if it is a write, a higher one.

A write without an answer took effect if its value was seen, at whatever time after its beginning;
one that was never seen is left out, since it may have failed, or may yet take effect. That a state
has several versions is no contradiction: other clients may label an object of ours.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise

from quorate.harness.model.register import Operation


@dataclass(frozen=True)
class History:
    """The operations on one register that told something, each with the version it is about.

    ``states``: version → value, in the order of the versions. ``first``: value → the first version
    that it was seen with. ``writes``: those that took effect, one without an answer with no end.
    ``open_writes``: those without an answer, seen or not.
    """

    states: dict[int, str]
    first: dict[str, int]
    reads: tuple[Operation, ...]
    writes: tuple[Operation, ...]
    open_writes: tuple[Operation, ...]
    twofold: tuple[str, ...] = ()

    @classmethod
    def of(cls, operations: Iterable[Operation]) -> History:
        """From one register's operations, its making among them; ValueError where a version is no
        number, and so says nothing about an order."""
        known = list(operations)
        told = sorted((one for one in known if one.version is not None), key=version_of)
        states: dict[int, str] = {}
        first: dict[str, int] = {}
        twofold = []
        for one in told:
            first.setdefault(one.value, version_of(one))
            if states.setdefault(version_of(one), one.value) != one.value:
                both = f"{states[version_of(one)]!r} and {one.value!r}"
                twofold.append(f"version {one.version} was seen with two values, {both}")
        open_writes = tuple(one for one in known if one.is_write and one.version is None)
        seen = [
            replace(one, version=str(first[one.value]), end=math.inf)
            for one in open_writes
            if one.value in first
        ]
        return cls(
            states=states,
            first=first,
            reads=tuple(one for one in told if not one.is_write),
            writes=tuple(sorted([*(one for one in told if one.is_write), *seen], key=version_of)),
            open_writes=open_writes,
            twofold=tuple(dict.fromkeys(twofold)),
        )

    @property
    def acknowledged(self) -> tuple[Operation, ...]:
        """The writes that were acknowledged, in the order of their versions."""
        return tuple(one for one in self.writes if one.end < math.inf)

    @property
    def unexplained(self) -> tuple[str, ...]:
        """Values that were seen and that no write tried."""
        tried = {one.value for one in self.writes}
        return tuple(dict.fromkeys(value for value in self.states.values() if value not in tried))


def version_of(operation: Operation) -> int:
    """The version that it is about; ValueError where that is no number."""
    return int(operation.version or "")


def contradictions(history: History) -> list[str]:
    """Why no order explains what was seen, values that nobody wrote aside; empty where one does."""
    return [*history.twofold, *_returns(history), *not_swapped(history), *_out_of_time(history)]


def _returns(history: History) -> list[str]:
    """Values that were seen again after another one."""
    found, over = [], set[str]()
    for (_, before), (version, value) in pairwise(history.states.items()):
        if value != before:
            over.add(before)
            if value in over:
                found.append(f"{value!r} came back as version {version}, after {before!r}")
    return found


def not_swapped(history: History) -> list[str]:
    """Writes that took effect on another state than the one that they demanded."""
    before = {after: version for version, after in pairwise(history.states)}
    found = []
    for write in history.writes:
        version, first = version_of(write), history.first[write.value]
        if first != version:
            found.append(f"{write.value!r} was acknowledged as version {version}, seen as {first}")
        elif write.expected is not None and str(before.get(version)) != write.expected:
            ground = before.get(version, "nothing")
            text = f"was written on version {write.expected} and took effect on {ground}"
            found.append(f"{write.value!r} {text}")
    return found


def _out_of_time(history: History) -> list[str]:
    known = [*history.reads, *history.writes]
    return [told(*pair) for pair in overtaken(known, known)]


def overtaken(
    earlier: Iterable[Operation], later: Iterable[Operation]
) -> list[tuple[Operation, Operation]]:
    """Pairs of one of ``earlier`` and one of ``later`` that began after the first had ended, and
    has a lower version, or is a write and has the same. For each of ``later`` the one with the
    highest version that had ended is taken."""
    ended = sorted(earlier, key=lambda one: one.end)
    found: list[tuple[Operation, Operation]] = []
    newest: Operation | None = None
    number = 0
    for one in sorted(later, key=lambda one: one.start):
        while number < len(ended) and ended[number].end < one.start:
            if newest is None or version_of(ended[number]) > version_of(newest):
                newest = ended[number]
            number += 1
        if newest is not None and version_of(one) < version_of(newest) + one.is_write:
            found.append((newest, one))
    return found


def told(earlier: Operation, later: Operation) -> str:
    """Two operations in the wrong order, for people."""
    return f"{_named(later)} began after the end of {_named(earlier)}"


def _named(operation: Operation) -> str:
    word = "the write of" if operation.is_write else "a read of"
    return f"{word} {operation.value!r} (version {operation.version}, by {operation.by})"
