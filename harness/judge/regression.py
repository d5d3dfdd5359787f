"""Are a series' numbers larger than those of its stored baseline, and not by chance? Pure.

Mann and Whitney's test (Ann. Math. Statist. 18, 1947), one-sided: it looks at ranks alone, so it
needs no distribution, and a number that is only known to be larger than all others has its place.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from statistics import NormalDist

from quorate.harness.judge.repetition import middle_of
from quorate.harness.model.repetition import Baseline, Comparison, Measured, Point

ALPHA = 0.01
"""The test says "worse" of what has not changed once in a hundred times: several indicators are
tested after every series, and at 0.05 one that runs every night would cry wolf each week."""

LEAST_RUNS = 5
"""A baseline's least runs. Of n and m numbers the smallest p is 1 / C(n+m, n): 5 and 5 are the
smallest equal numbers with which it can be below ALPHA (4 and 4: 1/70)."""

EXACT_PAIRS = 4000
"""Up to 63 with 63 every arrangement is counted. Beyond, the counting takes seconds, and the normal
approximation lies close enough: where p is about ALPHA, within 0.002 with 5 numbers on one side,
within 0.0005 with 20 or more."""


def larger_by_chance(now: Sequence[float], before: Sequence[float]) -> float:
    """How probable it is that ``now`` ranks as high as it does, or higher, if nothing changed.

    From 0 to 1; equal numbers share their ranks. ValueError where either is empty.
    """
    if not now or not before:
        raise ValueError("two samples are needed")
    both = sorted([*now, *before])
    # Twice the mean rank of each number, so that it is whole where equal ones share theirs.
    ranks = [bisect_left(both, one) + bisect_right(both, one) + 1 for one in both]
    seen = sum(ranks[bisect_left(both, one)] for one in now)
    if len(now) * len(before) <= EXACT_PAIRS:
        return _counted(ranks, len(now), seen=seen)
    return _approximated(ranks, len(now), seen=seen)


def _counted(ranks: Sequence[int], size: int, *, seen: int) -> float:
    """Of all ways to choose ``size`` of the ranks, the part whose sum is ``seen`` or more."""
    ways = [Counter({0: 1}), *(Counter[int]() for _ in range(size))]
    for rank in ranks:
        for chosen in range(size, 0, -1):
            for total, count in ways[chosen - 1].items():
                ways[chosen][total + rank] += count
    extreme = sum(count for total, count in ways[size].items() if total >= seen)
    return extreme / math.comb(len(ranks), size)


def _approximated(ranks: Sequence[int], size: int, *, seen: int) -> float:
    """By the normal distribution of the same mean and variance, with continuity correction."""
    count = len(ranks)
    mean = sum(ranks) / count
    spread = sum((rank - mean) ** 2 for rank in ranks) / (count - 1)
    deviation = math.sqrt(spread * size * (count - size) / count)
    if not deviation:
        return 1.0  # all numbers are the same
    return 1.0 - NormalDist().cdf((seen - 1 - size * mean) / deviation)


def compare(now: Sequence[Measured], baseline: Baseline) -> tuple[Comparison, ...]:
    """Each indicator beside the baseline's same one."""
    before = {_asked(one): one for one in baseline.measured}
    return tuple(_compared(one, before[_asked(one)]) for one in now if _asked(one) in before)


def _asked(one: Measured) -> tuple[object, ...]:
    return (one.indicator, one.of, one.during, one.deadline_s)


def _compared(now: Measured, before: Measured) -> Comparison:
    least = 1 / math.comb(len(now.values) + len(before.values), len(now.values))
    p, reason = None, ""
    if least > ALPHA:
        reason = f"too few runs: with so many no p can be below {least:.2g}, and {ALPHA} is asked"
    else:
        p = larger_by_chance(_numbers(now.values), _numbers(before.values))
    return Comparison(
        indicator=now.indicator,
        of=now.of,
        during=now.during,
        deadline_s=now.deadline_s,
        unit=now.unit,
        runs=len(now.values),
        runs_before=len(before.values),
        median=middle_of(now.values),
        median_before=middle_of(before.values),
        p=None if p is None else round(p, 6),
        worse=p is not None and p <= ALPHA,
        reason=reason,
    )


def _numbers(points: Sequence[Point]) -> list[float]:
    return [math.inf if point.censored else point.value for point in points]
