"""How sure a number of runs makes one: bounds of a share, and of a quantile. Pure.

Everything here rests on one question: of n runs that are each met with probability p, how probable
is it that k or more are? The runs are taken as independent, and as many as were planned before.
The answers are exact but for rounding, and need nothing beyond ``math``.
"""

from __future__ import annotations

import math
from bisect import bisect_left

CONFIDENCE = 0.95
"""How often, at least, a bound holds (reference/timings_and_slos.md §3: its first three rows)."""

MOST_RUNS = 1_000_000
"""More than anybody plays; the end of every search."""


def share_at_least(met: int, runs: int, *, confidence: float = CONFIDENCE) -> float:
    """Lower bound of the share of runs that are met, from 0 to 1.

    Clopper and Pearson (Biometrika 26, 1934), one-sided: the share at which ``met`` or more of
    ``runs`` would be met with probability 1 − confidence only.
    """
    low, high = 0.0, 1.0
    while met and high - low > 1e-12:
        middle = (low + high) / 2
        if _or_more(met, runs, middle) > 1 - confidence:
            high = middle
        else:
            low = middle
    return low


def share_at_most(met: int, runs: int, *, confidence: float = CONFIDENCE) -> float:
    """Upper bound of the same, with the same confidence on its own side."""
    return 1.0 - share_at_least(runs - met, runs, confidence=confidence)


def clean_runs_for(
    share: float, *, met: int = 0, runs: int = 0, confidence: float = CONFIDENCE
) -> int:
    """How many runs more, all of them met, make ``share`` the lower bound.

    From nothing: 29 for 90 %, 59 for 95 %, 299 for 99 %, since share ** n ≤ 1 − confidence.
    """
    return bisect_left(
        range(MOST_RUNS),
        True,
        key=lambda more: _or_more(met + more, runs + more, share) <= 1 - confidence,
    )


def quantile_rank(q: float, runs: int, *, confidence: float = CONFIDENCE) -> int | None:
    """Which of ``runs`` numbers, counted from the smallest (1), bounds their ``q`` quantile above.

    The r-th smallest lies below the quantile when r or more runs do, each with probability q; the
    smallest r for which that is no more probable than 1 − confidence. None where no r is small
    enough: with ``clean_runs_for(q)`` runs the largest number is (Wilks, Ann. Math. Statist. 12,
    1941; David and Nagaraja, Order Statistics, §7.1). Holds for every distribution.
    """
    rank = 1 + bisect_left(
        range(1, runs + 1), True, key=lambda r: _or_more(r, runs, q) <= 1 - confidence
    )
    return rank if rank <= runs else None


def _or_more(least: int, runs: int, p: float) -> float:
    """The probability that ``least`` or more of ``runs`` are met, each with probability ``p``."""
    chance, otherwise = math.log(p), math.log1p(-p)
    return math.fsum(
        math.exp(
            math.lgamma(runs + 1)
            - math.lgamma(k + 1)
            - math.lgamma(runs - k + 1)
            + k * chance
            + (runs - k) * otherwise
        )
        for k in range(least, runs + 1)
    )
