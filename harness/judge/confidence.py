"""How sure a number of runs makes one: how many it takes, and what bounds a quantile. Pure.

Everything here rests on one question: of n runs that are each met with probability p, how probable
is it that k or more are? The runs are taken as independent, and as many as were planned before.
The answers are exact but for rounding, and need nothing beyond ``math``.
"""

from __future__ import annotations

from bisect import bisect_left

from quorate.harness.judge.binomial import CONFIDENCE, or_more

MOST_RUNS = 1_000_000
"""More than anybody plays; the end of every search."""


def clean_runs_for(
    share: float, *, met: int = 0, runs: int = 0, confidence: float = CONFIDENCE
) -> int:
    """How many runs more, all of them met, make ``share`` the lower bound.

    From nothing: 29 for 90 %, 59 for 95 %, 299 for 99 %, since share ** n ≤ 1 − confidence.
    """
    return bisect_left(
        range(MOST_RUNS),
        True,
        key=lambda more: or_more(met + more, runs + more, share=share) <= 1 - confidence,
    )


def quantile_rank(q: float, runs: int, *, confidence: float = CONFIDENCE) -> int | None:
    """Which of ``runs`` numbers, counted from the smallest (1), bounds their ``q`` quantile above.

    The r-th smallest lies below the quantile when r or more runs do, each with probability q; the
    smallest r for which that is no more probable than 1 − confidence. None where no r is small
    enough: with ``clean_runs_for(q)`` runs the largest number is (Wilks, Ann. Math. Statist. 12,
    1941; David and Nagaraja, Order Statistics, §7.1). Holds for every distribution.
    """
    rank = 1 + bisect_left(
        range(1, runs + 1), True, key=lambda r: or_more(r, runs, share=q) <= 1 - confidence
    )
    return rank if rank <= runs else None
