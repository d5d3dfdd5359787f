"""Mann and Whitney's test against its published table, and what a comparison says."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

import pytest

from quorate.harness.judge import regression
from quorate.harness.judge.regression import ALPHA, LEAST_RUNS, compare, larger_by_chance
from quorate.harness.model.fingerprint import Fingerprint
from quorate.harness.model.repetition import Baseline, Measured, Point


def with_u(size: int, u: int) -> tuple[list[float], list[float]]:
    """Two samples of that size: in all pairs but ``u`` the first has the larger number."""
    numbers = list(range(2 * size))
    chosen = numbers[size:]
    for place in range(size):  # each step down loses one pair
        step = min(size, u)
        chosen[place] -= step
        u -= step
    return [float(one) for one in chosen], [float(one) for one in numbers if one not in chosen]


@pytest.mark.parametrize(
    ("size", "critical"), [(5, 1), (6, 3), (7, 6), (8, 9), (9, 14), (10, 19), (15, 56), (20, 114)]
)
def test_the_published_critical_values(size: int, critical: int) -> None:
    """One-sided, 1 %: the table in every textbook of the test (Siegel, 1956, table K)."""
    assert larger_by_chance(*with_u(size, critical)) <= 0.01
    assert larger_by_chance(*with_u(size, critical + 1)) > 0.01


def brute(now: Sequence[float], before: Sequence[float]) -> float:
    """Every way to divide the numbers, by the pairs that are larger; half where they are equal."""
    both = [*now, *before]

    def pairs(chosen: Sequence[int]) -> float:
        rest = [one for place, one in enumerate(both) if place not in chosen]
        return sum((both[a] > b) + (both[a] == b) / 2 for a in chosen for b in rest)

    seen = pairs(range(len(now)))
    every = [pairs(chosen) for chosen in combinations(range(len(both)), len(now))]
    return sum(one >= seen for one in every) / len(every)


@pytest.mark.parametrize(
    ("now", "before"),
    [
        ([1, 2, 3], [4, 5, 6]),
        ([4, 5, 6], [1, 2, 3]),
        ([2.0, 2.05, 2.05, 2.1], [2.0, 2.0, 2.05]),
        ([3, 3, 3], [3, 3]),
        ([1, math.inf, math.inf, 2], [1, 1, 2, 5, math.inf]),
        ([7], [1, 2, 3, 4, 5, 6]),
    ],
)
def test_equal_numbers_and_censored_ones(now: list[float], before: list[float]) -> None:
    assert larger_by_chance(now, before) == pytest.approx(brute(now, before))


def test_the_approximation_agrees_where_it_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    for u in (114, 120, 138):
        exact = larger_by_chance(*with_u(20, u))
        monkeypatch.setattr(regression, "EXACT_PAIRS", 0)
        assert larger_by_chance(*with_u(20, u)) == pytest.approx(exact, abs=0.0015)
        monkeypatch.undo()
    monkeypatch.setattr(regression, "EXACT_PAIRS", 0)
    assert larger_by_chance([3.0] * 40, [3.0] * 50) == 1.0
    assert larger_by_chance([2.0, 2.1] * 20, [1.0, 1.1] * 20) < 1e-9


def test_nothing_is_no_sample() -> None:
    with pytest.raises(ValueError, match="two samples"):
        larger_by_chance([], [1.0])


def measured(*values: float, censored: int = 0, of: str = "api") -> Measured:
    points = [Point(value=value) for value in sorted(values)]
    points += [Point(value=60.0, censored=True)] * censored
    return Measured(
        indicator="longest_outage_s",
        of=(of,),
        during="fault",
        deadline_s=1.0,
        unit="s",
        values=tuple(points),
    )


def baseline(*measured: Measured) -> Baseline:
    return Baseline(
        experiment="x.yaml",
        question="q",
        fingerprint=Fingerprint.of({}, {}),
        saved="2026-01-01T00:00:00+00:00",
        quorate_version="0.1.0",
        runs=(),
        measured=measured,
    )


def test_slower_than_the_baseline() -> None:
    before = baseline(measured(3.0, 3.1, 3.2, 3.3, 3.4))
    (found,) = compare([measured(3.5, 3.6, 3.7, 3.8, 3.9)], before)
    assert found.worse
    assert found.p == pytest.approx(1 / 252, abs=1e-6)
    (same,) = compare([measured(3.05, 3.15, 3.2, 3.3, 3.35)], before)
    assert not same.worse
    (faster,) = compare([measured(1.0, 1.1, 1.2, 1.3, 1.4)], before)
    assert faster.p == 1.0


def test_what_did_not_recover_is_larger_than_all_that_did() -> None:
    before = baseline(measured(70.0, 71.0, 72.0, 73.0, 74.0))
    (found,) = compare([measured(censored=5)], before)
    assert found.worse


def test_too_few_say_nothing() -> None:
    assert 1 / math.comb(2 * LEAST_RUNS, LEAST_RUNS) <= ALPHA
    fewer = LEAST_RUNS - 1
    assert 1 / math.comb(2 * fewer, fewer) > ALPHA
    (found,) = compare([measured(9.0)], baseline(measured(3.0, 3.1, 3.2, 3.3, 3.4)))
    assert found.p is None
    assert not found.worse
    assert "too few runs" in found.reason
    (none,) = compare([measured()], baseline(measured(3.0)))
    assert none.p is None


def test_only_what_was_asked_in_both_is_compared() -> None:
    assert compare([measured(1.0, of="dns")], baseline(measured(1.0))) == ()
