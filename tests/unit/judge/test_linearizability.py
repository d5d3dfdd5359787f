"""The order of versions against a search through all orders, on small histories of all kinds."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from quorate.harness.judge.linearizability import History, contradictions
from quorate.harness.model.register import Operation

FIRST = Operation("1", "the run", -math.inf, 0.0, "initial", "10", is_write=True)


def write(
    value: str, start: float, end: float, *, on: int, version: int | None = None
) -> Operation:
    told = None if version is None else str(version)
    return Operation("1", "w", start, end, value, told, str(on), is_write=True)


def read(value: str, start: float, end: float, *, version: int, by: str = "r") -> Operation:
    return Operation("1", by, start, end, value, str(version))


def is_linearizable(operations: Sequence[Operation]) -> bool:
    """By the definition: some order, kept to real time, in which each operation is legal.

    Wing and Gong's search. A write without an answer may have happened at any time after its
    beginning, or never; others may raise the version at any time, and leave the value.
    """
    return _search(("initial", 10), [one for one in operations if one is not FIRST])


def _search(state: tuple[str, int], left: list[Operation]) -> bool:
    if all(one.version is None for one in left):
        return True
    earliest_end = min(one.end for one in left if one.version is not None)
    for one in left:
        if one.start > earliest_end:
            continue
        after = _after(state, one)
        if after and any(
            _search(then, [other for other in left if other is not one]) for then in after
        ):
            return True
    return False


def _after(state: tuple[str, int], one: Operation) -> list[tuple[str, int]]:
    value, version = state
    if not one.is_write:
        legal = one.value == value and int(one.version or 0) >= version
        return [(value, int(one.version or 0))] if legal else []
    if int(one.expected or 0) < version:
        return []
    ground = int(one.expected or 0)
    if one.version is None:
        return [(one.value, then) for then in range(ground + 1, 20)]
    return [(one.value, int(one.version))] if int(one.version) > ground else []


@st.composite
def anything(draw: st.DrawFn) -> list[Operation]:
    """A few operations that may fit together or not."""
    versions = st.integers(10, 14)
    operations = [FIRST]
    for number in range(draw(st.integers(1, 3))):
        start = draw(st.integers(1, 6))
        end = start + draw(st.integers(0, 3))
        version = draw(st.none() | st.integers(11, 14))
        operations.append(write(f"v{number}", start, end, on=draw(versions), version=version))
    values = [one.value for one in operations]
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(1, 8))
        end = start + draw(st.integers(0, 3))
        value = draw(st.sampled_from([*values, "nobody's"]))
        operations.append(read(value, start, end, version=draw(versions)))
    told = {one.version for one in operations}
    # A writer demands what it was told.
    assume(all(one.expected in told for one in operations if one.is_write and one is not FIRST))
    return operations


@settings(max_examples=400, deadline=None)
@given(anything())
def test_the_order_of_versions_decides_as_a_search_does(operations: list[Operation]) -> None:
    history = History.of(operations)
    explained = not contradictions(history) and not history.unexplained
    assert explained == is_linearizable(operations)


@st.composite
def correct(draw: st.DrawFn) -> list[Operation]:
    """What clients of a register in health may see: its writer is told of some writes, not of
    others, and reads beforehand where it is in doubt; readers look at any time."""
    steps = st.sampled_from(["acknowledged", "answer lost", "failed", "read", "touched"])
    state, version, moment = "initial", 10, 1.0
    operations = [FIRST]
    for number, step in enumerate(draw(st.lists(steps, min_size=1, max_size=30))):
        moment += 1.0
        start, end = moment - draw(st.floats(0.1, 4)), moment + draw(st.floats(0.1, 4))
        if step == "touched":
            version += 1
        if step in ("touched", "read"):
            operations.append(read(state, start, end, version=version, by=f"r{number}"))
            continue
        operations.append(read(state, moment - 0.2, moment - 0.1, version=version))
        value, on = f"v{number}", version
        if step != "failed":
            state, version = value, version + draw(st.integers(1, 3))
        told = version if step == "acknowledged" else None
        operations.append(write(value, moment - 0.05, moment + 0.05, on=on, version=told))
    return operations


@settings(max_examples=150, deadline=None)
@given(correct())
def test_a_register_in_health_is_never_accused(operations: list[Operation]) -> None:
    history = History.of(operations)
    assert contradictions(history) == []
    assert history.unexplained == ()


@settings(max_examples=150, deadline=None)
@given(correct(), st.data())
def test_a_state_forgotten_is_always_noticed(
    operations: list[Operation], data: st.DataObject
) -> None:
    """The first state is read again, after a later one was acknowledged or read."""
    later = [one for one in operations if one.version is not None and int(one.version) > 10]
    assume(later)
    seen = data.draw(st.sampled_from(later))
    stale = read("initial", seen.end + 0.001, seen.end + 1, version=10)
    assert contradictions(History.of([*operations, stale]))


@settings(max_examples=150, deadline=None)
@given(correct(), st.data())
def test_a_value_changed_under_its_version_is_always_noticed(
    operations: list[Operation], data: st.DataObject
) -> None:
    told = [one for one in operations if one.version is not None and not one.is_write]
    assume(told)
    one = data.draw(st.sampled_from(told))
    history = History.of([*operations, replace(one, value="nobody's")])
    assert contradictions(history) or history.unexplained


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ([read("a", 5, 6, version=10)], "version 10 was seen with two values"),
        ([read("initial", 5, 6, version=10)], "a read of 'initial' .* began after the end of the"),
        ([write("b", 3, 4, on=10, version=12)], "'b' was written on version 10 and took effect on"),
        ([write("b", 3, 4, on=11), read("b", 5, 6, version=9)], "took effect on nothing"),
        (
            [write("b", 3, 4, on=11, version=12), read("a", 3, 6, version=13)],
            "'a' came back as version 13, after 'b'",
        ),
        ([read("a", 0.5, 0.9, version=11)], "the write of 'a' .* began after the end of a read"),
    ],
    ids=["two values", "stale read", "lost update", "before all", "came back", "seen too early"],
)
def test_what_is_wrong_is_told(more: list[Operation], said: str) -> None:
    operations = [FIRST, write("a", 1, 2, on=10, version=11), *more]
    assert not is_linearizable(operations)
    (text, *_) = contradictions(History.of(operations))
    assert re.search(said, text), text


def test_a_write_of_unknown_outcome_may_be_seen_late_or_never() -> None:
    lost = write("b", 3, 4, on=11)
    known: list[Any] = [FIRST, write("a", 1, 2, on=10, version=11), lost]
    assert contradictions(History.of(known)) == []
    late = [read("a", 8, 9, version=11), read("b", 10, 11, version=12)]
    assert contradictions(History.of([*known, *late])) == []


def test_a_version_that_is_no_number_is_an_error() -> None:
    odd = replace(read("a", 5, 6, version=10), version="opaque")
    with pytest.raises(ValueError, match="opaque"):
        History.of([FIRST, odd])
