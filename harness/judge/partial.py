"""Faults that hit a part of the requests: how much they cost, and how to know them.

One in three failing leaves no outage to measure: good samples stand between the bad ones, and how
long the longest run without three good ones is depends on chance and on the sampler's rate, not on
the cluster. What such a fault costs is the failed fraction, summed over time (D_w in
reference/timings_and_slos.md §3).
"""

from __future__ import annotations

from typing import NamedTuple

from quorate.harness.judge.binomial import share_band
from quorate.harness.judge.intervals import BAD_CODE, GOOD_CODE, UNKNOWN_CODE

RUNS_LEAST = 3
"""Two runs of failures are two outages."""

GOOD_SHARE = 0.1
"""Where fewer of the samples between the first failure and the last were good, it was an outage
that flapped: its length and its weight differ by no more than this."""

RUNS_OF_CHANCE = 0.5
"""At least so many of the runs that chance would make. It would make b · (n − b + 1) / n of b bad
samples among n (Wald and Wolfowitz, Ann. Math. Statist. 1940); an outage makes one."""


class Scatter(NamedTuple):
    """Failures here and there: ``bad`` of the ``total`` samples from the first to the last."""

    bad: int
    total: int
    runs: int

    def text(self) -> str:
        """In words."""
        return f"scattered failures, {self.bad} of {self.total} samples in {self.runs} places"


def scatter_of(codes: bytes) -> Scatter | None:
    """The failures in ``codes`` if they are scattered; None where there are none, or outages."""
    known = codes.replace(UNKNOWN_CODE, b"")
    span = known[known.find(BAD_CODE) : known.rfind(BAD_CODE) + 1]
    bad, total = span.count(BAD_CODE), len(span)
    runs = span.count(GOOD_CODE + BAD_CODE) + 1
    if runs < RUNS_LEAST or total - bad < GOOD_SHARE * total:
        return None
    chance = bad * (total - bad + 1) / total
    return Scatter(bad, total, runs) if runs >= RUNS_OF_CHANCE * chance else None


class Weight(NamedTuple):
    """How many samples would have failed on average had chance played often: [low, high]."""

    low: float
    high: float


def weighted_samples(codes: bytes) -> Weight:
    """The band of the failed fraction summed over all samples of ``codes`` (no unknown ones).

    Chance can have played only while requests failed: from the first failure to the last, and
    about the mean gap between two of them to either side. Of a single failure nothing says how
    long that was. Within, as if each request had failed with one probability: where it changed,
    the true spread is smaller.
    """
    bad, total = codes.count(BAD_CODE), len(codes)
    if bad > 1:
        span = codes.rfind(BAD_CODE) - codes.find(BAD_CODE) + 1
        total = min(total, span + round(2 * (span - bad) / bad))
    low, high = share_band(bad, total)
    return Weight(low * total, high * total)
