from __future__ import annotations

from array import array
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from quorate.harness.judge.intervals import (
    BAD_CODE,
    GOOD_CODE,
    UNKNOWN_CODE,
    Interval,
    classify,
    counts,
    end_early_s,
    intervals,
    start_early_s,
    within,
)
from quorate.harness.model.timeline import (
    DROPPED,
    FAILED,
    OK,
    TIMED_OUT,
    UNKNOWN,
    SampleSeries,
)

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


def edges(series: SampleSeries, *, since: float = 0.0) -> list[tuple[float, float]]:
    """By how much both edges of each disruption may be too early."""
    judged = classify(series, deadline_s=1.0, period_s=0.1).covering(-1.0, 2.0)
    each = within(intervals(judged), since=since, until=9.0)
    return [
        (round(start_early_s(one, judged), 6), round(end_early_s(one, judged), 6)) for one in each
    ]


def test_an_edge_is_too_early_by_at_most_what_a_request_took(make_series: Make) -> None:
    series = make_series("...!!!...")
    series.end[2] = series.due[2] + 0.03  # the slowest of the good ones before
    series.end[3] = series.due[3] + 5.0  # a request that hung says nothing about that
    series.end[6] = series.due[6] + 0.9  # answered after the end, however long before it was sent
    assert edges(series) == [(0.03, 0.9)]
    series.end[3] = series.due[3] + 0.002  # it failed at once
    assert edges(series) == [(0.002, 0.9)]
    assert edges(series, since=0.45) == [(0.0, 0.9)], "cut by a phase, it began nowhere"


def test_what_a_request_took_is_found_behind_missing_ticks(make_series: Make) -> None:
    assert edges(make_series("   .!  ...")) == [(0.01, 0.01)]
    assert edges(make_series("!!.")) == [(0.01, 0.0)], "it has not ended"


def test_an_answer_at_the_deadline_is_good(make_series: Make) -> None:
    series = make_series("~")
    assert classify(series, deadline_s=1.5, period_s=0.1).codes == b"\x00"
    assert classify(series, deadline_s=1.499, period_s=0.1).codes == b"\x01"


def test_a_microsecond_of_rounding_makes_no_answer_late(make_series: Make) -> None:
    series = make_series("~" * 99, first_due=0.000003)
    series = replace(series, end=array("d", [round(due + 1.0, 6) for due in series.due]))
    assert any(end - due > 1.0 for end, due in zip(series.end, series.due, strict=True))
    assert classify(series, deadline_s=1.0, period_s=0.1).codes == GOOD_CODE * 99


@pytest.mark.parametrize(
    ("outcome", "detail", "stalled_s", "code"),
    [
        (OK, "", 0.4, BAD_CODE),  # 1.1 s even without the stop
        (OK, "", 0.6, UNKNOWN_CODE),
        (FAILED, TIMED_OUT, 0.4, BAD_CODE),
        (FAILED, TIMED_OUT, 0.6, UNKNOWN_CODE),  # it was given less than a second to answer
        (FAILED, DROPPED, 0.6, BAD_CODE),
        (FAILED, DROPPED, 1.2, UNKNOWN_CODE),  # the older request was given no second either
        (FAILED, "ConnectionRefusedError", 1.2, BAD_CODE),  # said by the other side
        (UNKNOWN, "late", 1.2, UNKNOWN_CODE),
    ],
)
def test_bad_because_the_sampler_was_stopped_is_unknown(
    make_series: Make, outcome: int, detail: str, stalled_s: float, code: bytes
) -> None:
    series = replace(
        make_series("~"),
        outcome=bytes([outcome]),
        detail=array("I", [1]),
        texts=("", detail),
        stalled_s={0: stalled_s},
    )
    assert classify(series, deadline_s=1.0, period_s=0.1).codes == code


def test_the_details_are_those_that_the_sampler_writes(root: Path) -> None:
    program = (root / "harness" / "sampling" / "program" / "probe.py").read_text()
    assert f'detail="{TIMED_OUT}"' in program
    assert f'_drop("{DROPPED}")' in program


def test_a_phase_takes_whole_what_starts_in_it_and_the_rest_of_what_came_before() -> None:
    one = [Interval(1.0, 5.0)]
    assert within(one, since=0.0, until=2.0) == one
    assert within(one, since=2.0, until=4.0) == [Interval(2.0, 5.0)]
    assert within(one, since=5.0, until=9.0) == []
    assert within(one, since=0.0, until=1.0) == []


def test_what_the_data_does_not_reach_is_unknown(make_series: Make) -> None:
    classified = classify(make_series("....!?....", first_due=0.2), deadline_s=1.0, period_s=0.1)
    seen = counts(classified.codes)
    assert (seen.good, seen.bad, seen.unknown) == (8, 1, 1)
    wider = classified.covering(0.0, 2.0)
    assert wider.codes == b"\x02\x02" + classified.codes + b"\x02" * 8
    assert (wider.due(0), wider.due(2), wider.due(19)) == (0.0, 0.2, 1.9)
    assert classified.covering(0.2, 1.2) is classified
    assert counts(wider.between(0.0, 0.3)).unknown == 2
    assert classify(make_series(""), deadline_s=1.0, period_s=0.1).covering(5.0, 6.0).codes == (
        b"\x02" * 10
    )
