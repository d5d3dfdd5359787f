"""What a chart draws of a probe's samples: at most so many points, and never without a bad one.

Thinning keeps, of each short stretch and each kind of sample, the quickest and the slowest, and of
those that were not good the first and the last as well: wherever one was not good, one is drawn.
"""

from __future__ import annotations

import math
import operator
import re
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from quorate.harness.model.timeline import OK, UNKNOWN, SampleSeries
from quorate.reports.hostile import one_line
from quorate.reports.record import Judged, Stretch

GOOD, SLOW, FAILED, UNSURE = range(4)
KINDS = ("good", "slow", "failed", "unknown")
"""The words of these; slow: a good answer after the deadline."""

POINTS = 60_000
"""Points of all charts of a page together: some 0.8 MB."""

STRIP_PIECES = 2_000
"""Rectangles of one strip; more than there are pixels."""

USUAL_OF_A_STRETCH, MOST_OF_A_STRETCH = 3, 14
"""Points drawn of one stretch: two good ones, and up to four of each other kind."""

LEAST_S = 1e-4
"""An answer quicker than this is drawn here: the scale is logarithmic."""

_SAME = re.compile(rb"(.)\1*", re.DOTALL)

MESSAGES = 8
"""Different texts of failures told for each probe."""


class Point(NamedTuple):
    """One sample: when it was due, what it took (both seconds), and its kind."""

    due: float
    took_s: float
    kind: int


@dataclass(frozen=True)
class Samples:
    """All samples of a probe in the order of ticks, as columns: a long run has a million."""

    due: array[float]
    took_s: array[float]
    kind: bytes

    def __len__(self) -> int:
        return len(self.kind)

    def at(self, index: int, /) -> Point:
        """One of them."""
        return Point(self.due[index], self.took_s[index], self.kind[index])


NOTHING = Samples(array("d"), array("d"), b"")


@dataclass(frozen=True)
class Drawn:
    """The points of a chart. ``of``: how many samples there are; fewer drawn: it was thinned."""

    points: tuple[Point, ...]
    of: int

    @property
    def thinned(self) -> bool:
        """Whether samples were left out."""
        return len(self.points) < self.of


class Piece(NamedTuple):
    """A stretch of one colour in a strip: seconds, and OK, FAILED or UNKNOWN of model.timeline."""

    start: float
    end: float
    code: int


class PhaseNumbers(NamedTuple):
    """What one probe saw in one phase; the lengths are of good answers, in seconds, None where
    there was none."""

    phase: str
    counts: tuple[int, int, int, int]
    median_s: float | None
    p99_s: float | None
    longest_s: float | None


def samples_of(series: SampleSeries, *, judged: Judged) -> Samples:
    """Every sample, with its kind by what the judge made of its tick."""
    first, codes = judged.first_k, judged.codes
    ticks = range(len(codes))
    kinds = bytes(
        _kind(codes[k - first] if k - first in ticks else UNKNOWN, outcome)
        for k, outcome in zip(series.k, series.outcome, strict=True)
    )
    lengths = map(operator.sub, series.end, series.due)
    return Samples(series.due, array("d", (max(one, LEAST_S) for one in lengths)), kinds)


def _kind(code: int, outcome: int) -> int:
    if code == UNKNOWN:
        return UNSURE
    if code == OK:
        return GOOD
    return SLOW if outcome == OK else FAILED


def thinned(samples: Samples, *, at_most: int) -> Drawn:
    """All of them where they are few; else those that show all that is not like its neighbours."""
    count = len(samples)
    if count <= at_most:
        return Drawn(tuple(map(samples.at, range(count))), count)
    kept = _kept(samples, step=math.ceil(count / max(1, at_most // USUAL_OF_A_STRETCH)))
    if len(kept) > at_most:
        kept = _kept(samples, step=math.ceil(count / max(1, at_most // MOST_OF_A_STRETCH)))
    return Drawn(tuple(map(samples.at, kept)), count)


def _kept(samples: Samples, *, step: int) -> list[int]:
    count, kept = len(samples), list[int]()
    for start in range(0, count, step):
        kept += sorted(set(_telling(samples, range(start, min(start + step, count)))))
    return kept


def _telling(samples: Samples, stretch: range) -> Iterator[int]:
    """The indexes of a stretch that are to be drawn; one may come several times."""
    kinds = samples.kind[stretch.start : stretch.stop]
    for kind in set(kinds):
        alone = kinds.count(kind) == len(kinds)
        same = stretch if alone else [i for i in stretch if samples.kind[i] == kind]
        yield min(same, key=samples.took_s.__getitem__)
        yield max(same, key=samples.took_s.__getitem__)
        if kind != GOOD:
            yield same[0]
            yield same[-1]


def strip(judged: Judged) -> list[Piece]:
    """The ticks of a probe as stretches of one colour; where there would be too many, several
    ticks share one, and a bad one among them decides, then an unknown one."""
    codes, ticks = judged.codes, 1
    pieces = _pieces(codes)
    if len(pieces) > STRIP_PIECES:
        ticks = math.ceil(len(codes) / STRIP_PIECES)
        worst = bytes(_worst(codes[i : i + ticks]) for i in range(0, len(codes), ticks))
        pieces = _pieces(worst)
    end = judged.due(len(codes))
    return [
        Piece(judged.due(first * ticks), min(judged.due((last + 1) * ticks), end), code)
        for first, last, code in pieces
    ]


def _pieces(codes: bytes) -> list[tuple[int, int, int]]:
    """(first tick, last tick, code) of each stretch of one code."""
    return [
        (found.start(), found.end() - 1, codes[found.start()]) for found in _SAME.finditer(codes)
    ]


def _worst(codes: bytes) -> int:
    return 1 if 1 in codes else max(codes)


def numbers_by_phase(samples: Samples, *, phases: Sequence[Stretch]) -> list[PhaseNumbers]:
    """What a probe saw in each phase, by when its samples were due."""
    return [
        _numbers(
            samples,
            phase=phase.name,
            within=range(
                bisect_left(samples.due, phase.start), bisect_left(samples.due, phase.end)
            ),
        )
        for phase in phases
    ]


def _numbers(samples: Samples, *, phase: str, within: range) -> PhaseNumbers:
    kinds = samples.kind[within.start : within.stop]
    good = sorted(samples.took_s[i] for i in within if samples.kind[i] == GOOD)
    counts = (kinds.count(GOOD), kinds.count(SLOW), kinds.count(FAILED), kinds.count(UNSURE))
    if not good:
        return PhaseNumbers(phase, counts, None, None, None)
    return PhaseNumbers(phase, counts, _rank(good, 0.5), _rank(good, 0.99), good[-1])


def _rank(ordered: Sequence[float], share: float) -> float:
    """The smallest number that at least this share does not exceed."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def messages(series: SampleSeries) -> list[tuple[str, int]]:
    """What answers that were not OK said, the most frequent first, and how often."""
    said = Counter(
        series.texts[detail]
        for detail, outcome in zip(series.detail, series.outcome, strict=True)
        if outcome != OK
    )
    told = [(one_line(text) or "nothing", count) for text, count in said.most_common(MESSAGES)]
    more = sum(said.values()) - sum(count for _, count in told)
    return [*told, *([("others", more)] if more else [])]
