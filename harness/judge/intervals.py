"""From samples to disruption intervals.

A sample is *good* when it was OK within ``due + deadline``, *unknown* when we could not tell, else
*bad*. A disruption interval begins at the intended start of its first bad sample and ends at the
intended start of the first of three good ones in a row (three, so that flapping does not split it:
reference/timings_and_slos.md §3). An unknown sample neither begins nor ends one. What has not
ended when the data ends is *censored*: its length is a lower bound.

The true one began and ended between two samples: ± one period. A request takes time besides. One
that was under way when the disruption began has failed too, so the first bad sample may have been
due before that; one that was sent before the end may have been answered after it, so the first good
sample may have been due before that. Both edges can be too early by what such a request took, and
by no more. (Known answers have shown it: tests/known.)
"""

from __future__ import annotations

import math
import operator
from bisect import bisect_left
from dataclasses import dataclass, field
from typing import NamedTuple

from quorate.harness.model.timeline import DROPPED, OK, TIMED_OUT, SampleSeries

GOOD_CODE, BAD_CODE, UNKNOWN_CODE = b"\x00", b"\x01", b"\x02"
"""Equal to the outcomes OK, FAILED and UNKNOWN of model.timeline."""

REQUESTS_BEFORE = 100
"""How many ticks before a disruption tell what a request took then, at most: a request that hangs
does not say it itself. The next one takes longer than all of them once in a hundred times."""

_RECOVERED = GOOD_CODE * 3
_UNKNOWN_STAYS = bytes.maketrans(b"\x03", UNKNOWN_CODE)

_ROUNDED_S = 1e-6
"""Times are written in whole microseconds: half of one early and half of one late make one."""


class Interval(NamedTuple):
    """A disruption, in seconds: [``start``, ``end``); ``censored``: it had not ended."""

    start: float
    end: float
    censored: bool = False

    @property
    def length_s(self) -> float:
        """Its length as sampled."""
        return self.end - self.start


@dataclass(frozen=True)
class Classified:
    """A series judged at one deadline: ``codes[i]`` belongs to tick ``i`` due at ``due(i)``.

    Ticks that are missing in the data are there as unknown ones. ``series``: where the codes are
    from, None where nobody asks what a request took; tick ``i`` is its tick ``first_k + i``.
    """

    codes: bytes
    first_due: float
    period_s: float
    series: SampleSeries | None = field(default=None, compare=False)
    first_k: int = 0

    def due(self, tick: int, /) -> float:
        """Intended start of a tick, seconds."""
        return round(self.first_due + tick * self.period_s, 6)

    def tick_at(self, t: float, /) -> int:
        """The first tick due at or after ``t``, between 0 and one past the last."""
        ticks = range(len(self.codes))
        return bisect_left(ticks, t, key=self.due)

    def tick_of(self, due: float, /) -> int | None:
        """The tick due at just that time, None where there is none."""
        tick = round((due - self.first_due) / self.period_s)
        return tick if self.due(tick) == due else None

    def took_s(self, tick: int, /) -> float:
        """From a request's due time to its end, seconds; 0.0 where there is no data."""
        if self.series is None:
            return 0.0
        number = self.first_k + tick
        row = bisect_left(self.series.k, number)
        if row == len(self.series) or self.series.k[row] != number:
            return 0.0
        return self.series.end[row] - self.series.due[row]

    def between(self, since: float, until: float, /) -> bytes:
        """The codes of the ticks due in [``since``, ``until``)."""
        return self.codes[self.tick_at(since) : self.tick_at(until)]

    def covering(self, since: float, until: float, /) -> Classified:
        """The same, with unknown ticks wherever the data does not reach in [since, until).

        Where there is no data at all, nothing says when ticks were due: from ``since`` on.
        """
        if not self.codes:
            count = max(0, math.ceil(round((until - since) / self.period_s, 6)))
            return Classified(UNKNOWN_CODE * count, since, self.period_s)
        before = max(0, math.floor(round((self.first_due - since) / self.period_s, 6)))
        end = self.first_due + len(self.codes) * self.period_s
        after = max(0, math.ceil(round((until - end) / self.period_s, 6)))
        if not before and not after:
            return self
        codes = UNKNOWN_CODE * before + self.codes + UNKNOWN_CODE * after
        first_due, first_k = self.first_due - before * self.period_s, self.first_k - before
        return Classified(codes, first_due, self.period_s, self.series, first_k)


def classify(series: SampleSeries, *, deadline_s: float, period_s: float) -> Classified:
    """Judges each sample of ``series`` at ``deadline_s``; period in seconds."""
    if not len(series):
        return Classified(codes=b"", first_due=0.0, period_s=period_s)
    codes = _late_is_bad(series, deadline_s=deadline_s)
    for index in series.stalled_s:
        if codes[index] == 1 and _may_be_ours(series, index, deadline_s=deadline_s):
            codes[index] = 2
    first, count = series.k[0], series.k[-1] - series.k[0] + 1
    if count > len(codes):
        spread = bytearray(UNKNOWN_CODE) * count
        for tick, code in zip(series.k, codes, strict=True):
            spread[tick - first] = code
        codes = spread
    return Classified(bytes(codes), series.due[0], period_s, series, first)


def _late_is_bad(series: SampleSeries, *, deadline_s: float) -> bytearray:
    """The outcomes, with each OK that came after the deadline made bad; no loop of Python's own."""
    latest = deadline_s + _ROUNDED_S
    late = bytes(map(latest.__lt__, map(operator.sub, series.end, series.due)))
    both = int.from_bytes(series.outcome, "big") | int.from_bytes(late, "big")
    return bytearray(both.to_bytes(len(late), "big").translate(_UNKNOWN_STAYS))


def _may_be_ours(series: SampleSeries, index: int, *, deadline_s: float) -> bool:
    """Whether a sample may be bad only because the sampler was stopped while it was under way."""
    stalled_s = series.stalled_s[index]
    if series.end[index] - stalled_s > series.due[index] + deadline_s:
        return False
    detail = series.texts[series.detail[index]]
    if series.outcome[index] == OK or detail == TIMED_OUT:
        return True
    # It ended with another request; that one may have timed out by our fault alone.
    return detail == DROPPED and stalled_s >= deadline_s


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


def start_early_s(interval: Interval, classified: Classified) -> float:
    """By how much its start may be too early, because a request takes time; seconds."""
    tick = classified.tick_of(interval.start)
    if tick is None:  # cut where a phase begins
        return 0.0
    own_s = classified.took_s(tick)
    if own_s < classified.period_s:
        return own_s
    before = range(max(0, tick - REQUESTS_BEFORE), tick)
    good = [classified.took_s(one) for one in before if not classified.codes[one]]
    return min(own_s, max(good, default=own_s))


def end_early_s(interval: Interval, classified: Classified) -> float:
    """By how much its end may be too early, because a request takes time; seconds."""
    tick = None if interval.censored else classified.tick_of(interval.end)
    return 0.0 if tick is None else classified.took_s(tick)


def within(found: list[Interval], *, since: float, until: float) -> list[Interval]:
    """Those that touch [since, until), whole length past ``until`` but cut at ``since``.

    An interval that starts in a phase counts there even where it ends later: a recovery is as long
    as it is. One that started earlier still kept clients out, so its rest counts too.
    """
    return [
        interval if interval.start >= since else interval._replace(start=since)
        for interval in found
        if interval.start < until and interval.end > since
    ]


@dataclass(frozen=True)
class Counts:
    """Samples of one stretch of time, judged at one deadline."""

    good: int = 0
    bad: int = 0
    unknown: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.known + self.unknown

    @property
    def known(self) -> int:
        """Those that say something."""
        return self.good + self.bad

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.good + other.good, self.bad + other.bad, self.unknown + other.unknown)


def counts(codes: bytes, /) -> Counts:
    """How many of each."""
    return Counts(codes.count(GOOD_CODE), codes.count(BAD_CODE), codes.count(UNKNOWN_CODE))
