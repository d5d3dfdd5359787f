"""Thinning and strips: whatever is left out, a sample that was not good is not."""

from __future__ import annotations

from array import array
from dataclasses import replace

import pytest

from quorate.harness.model.timeline import FAILED as FAILED_CODE
from quorate.reports.charts import probe_figures
from quorate.reports.record import Judged, Stretch
from quorate.reports.series import (
    FAILED,
    GOOD,
    SLOW,
    STRIP_PIECES,
    UNSURE,
    Drawn,
    Point,
    Samples,
    messages,
    numbers_by_phase,
    samples_of,
    strip,
    thinned,
)
from tests.unit.reports.hostile_run import GOOD_RUN, record_of

MANY = 100_000


def judged(codes: bytes) -> Judged:
    return Judged("api", deadline_s=1.0, first_due=10.0, period_s=0.05, codes=codes)


def points(kinds: dict[int, int], *, count: int = MANY) -> list[Point]:
    return [Point(k * 0.05, 0.004 + (k % 7) * 1e-4, kinds.get(k, GOOD)) for k in range(count)]


def samples(found: list[Point]) -> Samples:
    due, took = (array("d", [one[i] for one in found]) for i in (0, 1))
    return Samples(due, took, bytes(one.kind for one in found))


@pytest.mark.parametrize("kind", [SLOW, FAILED, UNSURE])
@pytest.mark.parametrize("at", [0, 1, 51_234, MANY - 1])
def test_the_only_sample_that_was_not_good_is_drawn(kind: int, at: int) -> None:
    drawn = thinned(samples(points({at: kind})), at_most=1000)
    assert drawn.thinned
    assert drawn.of == MANY
    assert len(drawn.points) <= 1000
    assert [one.due for one in drawn.points if one.kind == kind] == [at * 0.05]


def test_every_stretch_that_was_not_good_is_drawn_from_end_to_end() -> None:
    bad = samples(points(dict.fromkeys(range(30_000, 60_000), FAILED)))
    drawn = [one for one in thinned(bad, at_most=1000).points if one.kind == FAILED]
    assert (drawn[0].due, drawn[-1].due) == (30_000 * 0.05, 59_999 * 0.05)
    assert len(drawn) > 100


def test_the_slowest_good_answer_is_drawn() -> None:
    found = points({})
    found[777] = Point(777 * 0.05, 0.9, GOOD)
    assert max(one.took_s for one in thinned(samples(found), at_most=1000).points) == 0.9


def test_every_nth_sample_would_not_do() -> None:
    naive = Drawn(tuple(points({51_234: FAILED})[::100]), MANY)
    assert not [one for one in naive.points if one.kind == FAILED]


def test_few_samples_are_all_drawn() -> None:
    few = points({3: FAILED}, count=1000)
    assert thinned(samples(few), at_most=1000) == Drawn(tuple(few), 1000)
    assert thinned(samples([]), at_most=5).points == ()


def test_a_strip_shows_a_single_bad_tick_among_many() -> None:
    codes = bytearray(b"\x00\x02" * (MANY // 2))  # so many changes that ticks share a piece
    codes[51_234] = FAILED_CODE
    pieces = strip(judged(bytes(codes)))
    assert len(pieces) <= STRIP_PIECES
    (bad,) = [one for one in pieces if one.code == FAILED_CODE]
    assert bad.start <= 10.0 + 51_234 * 0.05 < bad.end
    assert pieces[0].start == 10.0
    assert pieces[-1].end == pytest.approx(10.0 + MANY * 0.05)


def test_a_strip_of_few_changes_is_exact() -> None:
    pieces = strip(judged(bytes([0, 0, 1, 1, 2, 0])))
    assert [(round(one.start, 3), round(one.end, 3), one.code) for one in pieces] == [
        (10.0, 10.1, 0),
        (10.1, 10.2, 1),
        (10.2, 10.25, 2),
        (10.25, 10.3, 0),
    ]
    assert strip(judged(b"")) == []


def test_numbers_by_phase() -> None:
    found = [Point(1.0, 0.010, GOOD), Point(2.0, 0.030, GOOD), Point(3.0, 5.0, FAILED)]
    first, second, third = numbers_by_phase(
        samples(found),
        phases=[Stretch("baseline", 0, 3), Stretch("fault", 3, 4), Stretch("return", 4, 5)],
    )
    assert first == ("baseline", (2, 0, 0, 0), 0.010, 0.030, 0.030)
    assert second == ("fault", (0, 0, 1, 0), None, None, None)
    assert sum(third.counts) == 0


def test_a_stored_run_is_drawn_as_it_was_judged() -> None:
    run = record_of(GOOD_RUN)
    first, second = probe_figures(run)
    assert first.counts == (309, 60, 0)
    assert second.counts == (155, 30, 0)
    assert first.sentence.endswith("60 bad, 0 unknown; 1 outage, the longest 3.00 s")
    assert [one.counts for one in first.numbers][1] == (40, 0, 60, 0)
    series = run.timeline.series["api"]
    assert samples_of(series, judged=first.judged).at(0).took_s == pytest.approx(0.006356)
    assert sum(count for _, count in messages(series)) == 60


def test_a_sample_beyond_what_was_judged_is_unknown() -> None:
    run = record_of(GOOD_RUN)
    short = replace(run.judged[0], codes=run.judged[0].codes[:5])
    kinds = samples_of(run.timeline.series["api"], judged=short).kind
    assert set(kinds[:5]) == {GOOD}
    assert set(kinds[5:]) == {UNSURE}
