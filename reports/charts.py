"""The figures of each probe: its strip, its numbers, and the points of its zoomable chart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from quorate.harness.model.timeline import BESIDE_HARNESS
from quorate.reports import series as drawing
from quorate.reports.hostile import one_line
from quorate.reports.record import Judged, RunRecord
from quorate.reports.series import Drawn, PhaseNumbers, Piece


@dataclass(frozen=True)
class ProbeFigure:
    """One probe at one deadline. ``drawn`` is empty for all but its shortest deadline: the chart
    has the lines of all of them."""

    probe: str
    way: str
    judged: Judged
    strip: tuple[Piece, ...]
    drawn: Drawn
    numbers: tuple[PhaseNumbers, ...]
    messages: tuple[tuple[str, int], ...]
    deadlines: tuple[float, ...]

    @property
    def counts(self) -> tuple[int, int, int]:
        """Ticks that were good, bad and unknown at this deadline."""
        codes = self.judged.codes
        return codes.count(0), codes.count(1), codes.count(2)

    @property
    def sentence(self) -> str:
        """The strip in words."""
        good, bad, unknown = self.counts
        lengths = [one.end - one.start for one in self.judged.outages]
        said = f"{self.probe} at a deadline of {self.judged.deadline_s:g} s: "
        if not self.judged.codes:
            return said + "no sample"
        said += f"of {good + bad + unknown} samples {good} good, {bad} bad, {unknown} unknown"
        if not lengths:
            return f"{said}; no outage"
        many = "1 outage" if len(lengths) == 1 else f"{len(lengths)} outages"
        return f"{said}; {many}, the longest {max(lengths):.2f} s"


def probe_figures(run: RunRecord) -> list[ProbeFigure]:
    """Every probe at each of its deadlines, in the experiment's order."""
    probes = {judged.probe for judged in run.judged}
    at_most = drawing.POINTS // max(1, len(probes))
    made: list[ProbeFigure] = []
    for judged in run.judged:
        first = all(one.judged.probe != judged.probe for one in made)
        made.append(_figure(run, judged, at_most=at_most if first else 0))
    return made


def _figure(run: RunRecord, judged: Judged, *, at_most: int) -> ProbeFigure:
    series = run.timeline.series.get(judged.probe)
    spec = run.experiment.probes[judged.probe]
    asked = spec.url or spec.path
    way = f"{spec.probe} by {asked}, {spec.connection} connections, {spec.rate_hz:g} Hz"
    way += "" if spec.vantage == BESIDE_HARNESS else f", from {spec.vantage}"
    samples, said = drawing.NOTHING, list[tuple[str, int]]()
    if series is not None and at_most:
        samples, said = drawing.samples_of(series, judged=judged), drawing.messages(series)
    return ProbeFigure(
        one_line(judged.probe),
        one_line(way),
        judged,
        strip=tuple(drawing.strip(judged)),
        drawn=drawing.thinned(samples, at_most=max(at_most, 1)),
        numbers=tuple(drawing.numbers_by_phase(samples, phases=run.phases)) if samples else (),
        messages=tuple(said),
        deadlines=run.experiment.deadlines_s(judged.probe),
    )


def chart_data(run: RunRecord, figures: Sequence[ProbeFigure]) -> dict[str, object]:
    """What the script draws; times in seconds, lengths in milliseconds, kinds as digits."""
    return {
        "phases": [[one.name, _time(one.start), _time(one.end)] for one in run.phases],
        "faults": [[one_line(one.name), _time(one.start), _time(one.end)] for one in run.faults],
        "charts": [_chart(one) for one in figures if one.drawn.points],
    }


def _chart(figure: ProbeFigure) -> dict[str, object]:
    points = figure.drawn.points
    lengths = [point.took_s * 1000 for point in points]
    lines = [deadline_s * 1000 for deadline_s in figure.deadlines]
    return {
        "probe": figure.probe,
        "deadlines": lines,
        "low": 10 ** math.floor(math.log10(min(lengths))),
        "high": max([*lengths, *lines]) * 1.5,
        "x": [_time(point.due) for point in points],
        "y": [round(length, 1 if length >= 1 else 3) for length in lengths],
        "kind": "".join(str(point.kind) for point in points),
    }


def _time(t: float) -> float:
    return round(t, 3)
