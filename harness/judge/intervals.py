"""From samples to disruption intervals.

A sample is *good* when it was OK within ``due + deadline``, *unknown* when we could not tell, else
*bad*. A disruption interval begins at the intended start of its first bad sample and ends at the
intended start of the first of three good ones in a row (three, so that flapping does not split it:
reference/timings_and_slos.md §3). An unknown sample neither begins nor ends one. What has not
ended when the data ends is *censored*: its length is a lower bound.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from quorate.harness.model.timeline import OK, UNKNOWN, SampleSeries

GOOD_CODE, BAD_CODE, UNKNOWN_CODE = b"\x00", b"\x01", b"\x02"
_RECOVERED = GOOD_CODE * 3


@dataclass(frozen=True)
class Interval:
    """A disruption, in seconds: [``start``, ``end``); ``censored``: it had not ended."""

    start: float
    end: float
    censored: bool = False

    @property
    def length_s(self) -> float:
        """Its length as sampled; the true one differs by at most one period."""
        return self.end - self.start


@dataclass(frozen=True)
class Classified:
    """A series judged at one deadline: ``codes[i]`` belongs to tick ``i`` due at ``due(i)``.

    Ticks that are missing in the data are there as unknown ones.
    """

    codes: bytes
    first_due: float
    period_s: float

    def due(self, tick: int, /) -> float:
        """Intended start of a tick, seconds."""
        return round(self.first_due + tick * self.period_s, 6)

    def tick_at(self, t: float, /) -> int:
        """The first tick due at or after ``t``, between 0 and one past the last."""
        ticks = range(len(self.codes))
        return bisect_left(ticks, t, key=self.due)


def classify(series: SampleSeries, *, deadline_s: float, period_s: float) -> Classified:
    """Judges each sample of ``series`` at ``deadline_s``; period in seconds."""
    if not len(series):
        return Classified(codes=b"", first_due=0.0, period_s=period_s)
    first = series.k[0]
    codes = bytearray(UNKNOWN_CODE) * (series.k[-1] - first + 1)
    for tick, due, end, outcome in zip(
        series.k, series.due, series.end, series.outcome, strict=True
    ):
        if outcome == OK:
            codes[tick - first] = end > due + deadline_s
        elif outcome != UNKNOWN:
            codes[tick - first] = 1
    for index, stalled_s in series.stalled_s.items():
        on_time_at_best = series.end[index] - stalled_s <= series.due[index] + deadline_s
        if series.outcome[index] == OK and codes[series.k[index] - first] and on_time_at_best:
            codes[series.k[index] - first] = 2  # late only because the sampler was stopped
    return Classified(codes=bytes(codes), first_due=series.due[0], period_s=period_s)


def intervals(classified: Classified, *, unknown_as: bytes = UNKNOWN_CODE) -> list[Interval]:
    """All disruption intervals, in order.

    Args:
        unknown_as: UNKNOWN_CODE (an unknown sample neither begins nor ends one), GOOD_CODE or
            BAD_CODE for the shortest and the longest story that the data allows.
    """
    codes = classified.codes
    if unknown_as != UNKNOWN_CODE:
        codes = codes.replace(UNKNOWN_CODE, unknown_as)
    found: list[Interval] = []
    start = codes.find(BAD_CODE)
    while start >= 0:
        after = codes.find(_RECOVERED, start)
        end = after if after >= 0 else len(codes)
        found.append(Interval(classified.due(start), classified.due(end), censored=after < 0))
        start = codes.find(BAD_CODE, end)
    return found


def within(found: list[Interval], *, since: float, until: float) -> list[Interval]:
    """Those that touch [since, until), whole length past ``until`` but cut at ``since``.

    An interval that starts in a phase counts there even where it ends later: a recovery is as long
    as it is. One that started earlier still kept clients out, so its rest counts too.
    """
    return [
        Interval(max(interval.start, since), interval.end, interval.censored)
        for interval in found
        if interval.start < until and interval.end > since
    ]


@dataclass(frozen=True)
class Counts:
    """Samples of one stretch of time, judged at one deadline; ``missing`` are unknown too."""

    good: int = 0
    bad: int = 0
    unknown: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.good + self.bad + self.unknown

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.good + other.good, self.bad + other.bad, self.unknown + other.unknown)


def counts(classified: Classified, *, since: float, until: float) -> Counts:
    """Samples due in [since, until); where the data does not reach, the ticks count as unknown."""
    low, high = classified.tick_at(since), classified.tick_at(until)
    codes = classified.codes[low:high]
    # One tick at either edge may fall outside by the phase of the sampler alone.
    expected = int((until - since) / classified.period_s) - 1
    absent = max(0, expected - len(codes))
    return Counts(codes.count(GOOD_CODE), codes.count(BAD_CODE), codes.count(UNKNOWN_CODE) + absent)
