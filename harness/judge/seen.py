"""One probe's disruptions in one phase, as every objective and report about them needs them."""

from __future__ import annotations

from typing import NamedTuple

from quorate.harness.judge.intervals import (
    BAD_CODE,
    GOOD_CODE,
    UNKNOWN_CODE,
    Classified,
    Interval,
    intervals,
    within,
)
from quorate.harness.judge.partial import Scatter, scatter_of
from quorate.harness.judge.phases import Phase


class Seen(NamedTuple):
    """One probe's disruptions in one phase, at one deadline.

    Args:
        found: as the samples tell them. least, most: with every unknown sample good, or bad.
        codes: of the phase's ticks, and of those until its last disruption has ended.
        classified: all ticks of the probe, whatever the phase.
    """

    found: list[Interval]
    least: list[Interval]
    most: list[Interval]
    codes: bytes
    classified: Classified

    @classmethod
    def of(cls, classified: Classified, *, phase: Phase) -> Seen:
        """What a series says about a phase."""
        found = within(intervals(classified), since=phase.reach, until=phase.end)
        least = most = found
        if UNKNOWN_CODE in classified.codes:
            least, most = (
                within(intervals(classified, unknown_as=code), since=phase.reach, until=phase.end)
                for code in (GOOD_CODE, BAD_CODE)
            )
        end = max([phase.end, *(one.end for one in most)])
        codes = classified.between(phase.reach, end)
        return cls(found, least, most, codes, classified)

    @property
    def period_s(self) -> float:
        """Between two samples."""
        return self.classified.period_s

    @property
    def longest(self) -> Interval | None:
        return max(self.found, key=lambda one: one.length_s, default=None)

    @property
    def weighted_s(self) -> float:
        """The failed fraction, summed over time."""
        return self.codes.count(BAD_CODE) * self.period_s

    @property
    def scatter(self) -> Scatter | None:
        """Whether they are no intervals at all, but failures here and there."""
        return scatter_of(self.codes)
