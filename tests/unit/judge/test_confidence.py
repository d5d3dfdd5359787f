"""Bounds against published tables, and against what they promise: how often they hold."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest

from quorate.harness.judge.binomial import share_at_least, share_at_most
from quorate.harness.judge.confidence import (
    CONFIDENCE,
    clean_runs_for,
    quantile_rank,
)


@pytest.mark.parametrize(
    ("met", "runs", "low", "high"),
    [
        (81, 263, 0.2527, 0.3676),
        (15, 148, 0.0578, 0.1617),
        (0, 20, 0.0000, 0.1684),
        (1, 29, 0.0009, 0.1776),
    ],
)
def test_newcombe_s_table_of_two_sided_bounds(met: int, runs: int, low: float, high: float) -> None:
    """Newcombe, Statistics in Medicine 17 (1998), table I, method 5: 95 %, 2.5 % on each side."""
    assert share_at_least(met, runs, confidence=0.975) == pytest.approx(low, abs=5e-5)
    assert share_at_most(met, runs, confidence=0.975) == pytest.approx(high, abs=5e-5)


@pytest.mark.parametrize(
    ("runs", "bound"),
    [(5, 0.55), (10, 0.74), (20, 0.86), (30, 0.905), (59, 0.95), (100, 0.971), (299, 0.99)],
)
def test_clean_runs_alone(runs: int, bound: float) -> None:
    """reference/timings_and_slos.md §3."""
    assert share_at_least(runs, runs) == pytest.approx(bound, abs=0.005)
    assert share_at_least(runs, runs) == pytest.approx(0.05 ** (1 / runs), abs=1e-9)


@pytest.mark.parametrize(
    ("share", "confidence", "with_failures"),
    [
        (0.90, 0.95, [29, 46, 61]),
        (0.95, 0.95, [59, 93, 124]),
        (0.99, 0.95, [299, 473, 628]),
        (0.99, 0.99, [459, 662, 838]),
    ],
)
def test_runs_that_a_claim_needs(share: float, confidence: float, with_failures: list[int]) -> None:
    """reference/timings_and_slos.md §3: with none, one and two that were not met."""
    found = [
        failed + clean_runs_for(share, met=0, runs=failed, confidence=confidence)
        for failed in range(3)
    ]
    assert found == with_failures


def test_nothing_proves_nothing() -> None:
    assert (share_at_least(0, 0), share_at_most(0, 0)) == (0.0, 1.0)
    assert share_at_least(0, 50) == 0.0
    assert share_at_most(50, 50) == 1.0
    assert quantile_rank(0.5, 0) is None


def exactly(met: int, runs: int, share: float) -> Fraction:
    """The probability that ``met`` or more are met, in fractions."""
    p = Fraction(share)
    return sum(
        (math.comb(runs, k) * p**k * (1 - p) ** (runs - k) for k in range(met, runs + 1)),
        Fraction(0),
    )


@pytest.mark.parametrize("runs", [1, 2, 7, 20, 45])
def test_a_bound_is_where_the_exact_probability_is_5_per_cent(runs: int) -> None:
    for met in range(1, runs + 1):
        bound = share_at_least(met, runs)
        assert float(exactly(met, runs, bound)) == pytest.approx(1 - CONFIDENCE, abs=1e-9)
        assert bound < met / runs <= share_at_most(met, runs)


@pytest.mark.parametrize("share", [0.5, 0.9, 0.97])
@pytest.mark.parametrize("runs", [5, 20, 60])
def test_a_bound_holds_as_often_as_it_says(runs: int, share: float) -> None:
    """Over all outcomes of so many runs, weighed by how probable each is."""
    held = sum(
        math.comb(runs, met) * share**met * (1 - share) ** (runs - met)
        for met in range(runs + 1)
        if share_at_least(met, runs) <= share
    )
    assert held >= CONFIDENCE - 1e-12


@pytest.mark.parametrize(("q", "needs"), [(0.5, 5), (0.9, 29), (0.95, 59), (0.99, 299)])
def test_a_quantile_is_refused_below_its_number(q: float, needs: int) -> None:
    """The same numbers in reference/timings_and_slos.md §3: the largest of so many bounds it."""
    assert quantile_rank(q, needs - 1) is None
    assert quantile_rank(q, needs) == needs
    assert clean_runs_for(q) == needs


@pytest.mark.parametrize("q", [0.5, 0.9, 0.95])
@pytest.mark.parametrize("runs", [60, 100, 144])
def test_a_rank_is_the_smallest_that_bounds_its_quantile(q: float, runs: int) -> None:
    rank = quantile_rank(q, runs)
    assert rank is not None
    assert exactly(rank, runs, q) <= Fraction(1, 20) < exactly(rank - 1, runs, q)
