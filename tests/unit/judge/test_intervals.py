from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from quorate.harness.judge.intervals import (
    BAD_CODE,
    GOOD_CODE,
    Interval,
    classify,
    counts,
    intervals,
    within,
)
from quorate.harness.model.timeline import SampleSeries

Make = Callable[..., SampleSeries]


def found(series: SampleSeries, **options: bytes) -> list[tuple[float, float, bool]]:
    classified = classify(series, deadline_s=1.0, period_s=0.1)
    return [(one.start, one.end, one.censored) for one in intervals(classified, **options)]


@pytest.mark.parametrize(
    ("spelled", "expected"),
    [
        ("......", []),
        ("..!...", [(0.2, 0.3, False)]),
        ("..!!!...", [(0.2, 0.5, False)]),
        ("..!..!...", [(0.2, 0.6, False)]),  # two good ones in between do not end it
        ("..!...!...", [(0.2, 0.3, False), (0.6, 0.7, False)]),  # three do
        ("..~...", [(0.2, 0.3, False)]),  # OK, but after its deadline
        ("..!?...", [(0.2, 0.4, False)]),  # unknown does not end it
        ("..!.?..?...", [(0.2, 0.8, False)]),  # nor do good ones that it breaks up
        ("..?..", []),  # nor does it begin one
        ("..! ...", [(0.2, 0.4, False)]),  # a missing tick is unknown
        ("..!!", [(0.2, 0.4, True)]),
        ("..!!..", [(0.2, 0.6, True)]),  # two good ones at the end are not three
        ("", []),
    ],
)
def test_intervals(make_series: Make, spelled: str, expected: list[object]) -> None:
    assert found(make_series(spelled)) == expected


def test_unknown_as_bad_and_as_good_bound_the_truth(make_series: Make) -> None:
    series = make_series("..?!?...")
    assert found(series, unknown_as=GOOD_CODE) == [(0.3, 0.4, False)]
    assert found(series) == [(0.3, 0.5, False)]
    assert found(series, unknown_as=BAD_CODE) == [(0.2, 0.5, False)]


def test_an_answer_at_the_deadline_is_good(make_series: Make) -> None:
    series = make_series("~")
    assert classify(series, deadline_s=1.5, period_s=0.1).codes == b"\x00"
    assert classify(series, deadline_s=1.499, period_s=0.1).codes == b"\x01"


@pytest.mark.parametrize(("stalled_s", "code"), [(0.4, 1), (0.6, 2)])
def test_late_because_the_sampler_was_stopped_is_unknown(
    make_series: Make, stalled_s: float, code: int
) -> None:
    series = replace(make_series("~"), stalled_s={0: stalled_s})
    assert classify(series, deadline_s=1.0, period_s=0.1).codes == bytes([code])


def test_a_phase_takes_whole_what_starts_in_it_and_the_rest_of_what_came_before() -> None:
    one = [Interval(1.0, 5.0)]
    assert within(one, since=0.0, until=2.0) == one
    assert within(one, since=2.0, until=4.0) == [Interval(2.0, 5.0)]
    assert within(one, since=5.0, until=9.0) == []
    assert within(one, since=0.0, until=1.0) == []


def test_counts_include_ticks_that_the_data_does_not_reach(make_series: Make) -> None:
    classified = classify(make_series("....!?...."), deadline_s=1.0, period_s=0.1)
    seen = counts(classified, since=0.0, until=1.0)
    assert (seen.good, seen.bad, seen.unknown) == (8, 1, 1)
    longer = counts(classified, since=0.0, until=10.0)
    assert (longer.good, longer.bad) == (8, 1)
    assert longer.unknown == pytest.approx(91, abs=1)
    assert counts(classified, since=0.3, until=0.5).total == 2
