"""What a chart draws of a probe's samples: at most so many points, and never without a bad one.

Thinning keeps, of each short stretch and each kind of sample, the quickest and the slowest, and of
those that were not good the first and the last as well: wherever one was not good, one is drawn.
"""

from __future__ import annotations

import itertools
import math
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

LEAST_S = 1e-4
"""An answer quicker than this is drawn here: the scale is logarithmic."""

MESSAGES = 8
"""Different texts of failures told for each probe."""


class Point(NamedTuple):
    """One sample: when it was due, what it took (both seconds), and its kind."""

    due: float
    took_s: float
    kind: int


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


def points_of(series: SampleSeries, *, judged: Judged) -> list[Point]:
    """Every sample, in the order of ticks."""
    found = []
    for k, due, end, outcome in zip(series.k, series.due, series.end, series.outcome, strict=True):
        tick = k - judged.first_k
        code = judged.codes[tick] if 0 <= tick < len(judged.codes) else UNKNOWN
        found.append(Point(due, max(end - due, LEAST_S), _kind(code, outcome)))
    return found


def _kind(code: int, outcome: int) -> int:
    if code == UNKNOWN:
        return UNSURE
    if code == OK:
        return GOOD
    return SLOW if outcome == OK else FAILED


def thinned(points: Sequence[Point], *, at_most: int) -> Drawn:
    """All of them where they are few; else those that show all that is not like its neighbours."""
    if len(points) <= at_most:
        return Drawn(tuple(points), len(points))
    per_stretch = 10  # two good ones, and up to four of each other kind, seldom all at once
    stretches = max(1, at_most // per_stretch)
    start, length = points[0].due, (points[-1].due - points[0].due) / stretches or 1.0
    kept: set[int] = set()
    numbered = enumerate(points)
    for _, group in itertools.groupby(
        numbered, key=lambda one: min(int((one[1].due - start) / length), stretches - 1)
    ):
        kept.update(_telling(list(group)))
    return Drawn(tuple(points[i] for i in sorted(kept)), len(points))


def _telling(stretch: Sequence[tuple[int, Point]]) -> Iterator[int]:
    for kind in range(len(KINDS)):
        same = [(point.took_s, index) for index, point in stretch if point.kind == kind]
        if not same:
            continue
        yield min(same)[1]
        yield max(same)[1]
        if kind != GOOD:
            yield same[0][1]
            yield same[-1][1]


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
    found = []
    for code, group in itertools.groupby(enumerate(codes), key=lambda one: one[1]):
        indexes = [index for index, _ in group]
        found.append((indexes[0], indexes[-1], code))
    return found


def _worst(codes: bytes) -> int:
    return 1 if 1 in codes else max(codes)


def numbers_by_phase(points: Sequence[Point], *, phases: Sequence[Stretch]) -> list[PhaseNumbers]:
    """What a probe saw in each phase, by when its samples were due."""
    return [
        _numbers(phase.name, [one for one in points if phase.start <= one.due < phase.end])
        for phase in phases
    ]


def _numbers(phase: str, points: Sequence[Point]) -> PhaseNumbers:
    counted = Counter(point.kind for point in points)
    good = sorted(point.took_s for point in points if point.kind == GOOD)
    counts = (counted[GOOD], counted[SLOW], counted[FAILED], counted[UNSURE])
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
