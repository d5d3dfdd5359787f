"""Geometry of the figures that are drawn without a script: strips, waterfalls, predicted ranges.

Numbers are in the units of an SVG's view box: seconds across a strip, per cent across the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from quorate.harness.model.rescheduling import Phase, Rescheduling, Span
from quorate.harness.model.verdict import PredictionResult
from quorate.reports.hostile import one_line
from quorate.reports.rescheduling import FIRST_GOOD

LEAST_WIDTH = 0.4
"""Per cent; what is narrower could not be seen."""


class Bar(NamedTuple):
    """From ``x``, ``width`` wide; both in per cent of the figure."""

    x: float
    width: float


@dataclass(frozen=True)
class Step:
    """One phase of a replacement: when it was reached, as a span of seconds and as a bar. The bar
    is the span: it was not yet so at its start, and so at its end."""

    name: str
    span: Span
    bar: Bar


@dataclass(frozen=True)
class Waterfall:
    """How one pod, or the last of all pods, was replaced."""

    title: str
    steps: tuple[Step, ...]
    length_s: float


def waterfalls(found: Sequence[Rescheduling]) -> list[Waterfall]:
    """One for each pod that something was seen of."""
    made = []
    for one in found:
        for pod in one.pods:
            by = f", replaced by {pod.by}" if pod.by and pod.by != pod.pod else ""
            on = f" on {pod.on}" if pod.on else ""
            title = one_line(f"{pod.pod} of {one.owner} on {pod.node}{by}{on}")
            length_s = max([one.watched_s, *(span[1] for span in pod.phases.values())])
            steps = tuple(
                Step(_word(phase), pod.phases[phase], bar(*pod.phases[phase], of=length_s))
                for phase in Phase
                if phase in pod.phases
            )
            made.append(Waterfall(title, steps, length_s))
    return made


def _word(phase: Phase) -> str:
    return FIRST_GOOD if phase is Phase.FIRST_GOOD else phase.value


def bar(low: float, high: float, *, of: float) -> Bar:
    """[``low``, ``high``] in per cent of ``of``, wide enough to be seen and inside the figure."""
    whole = of if of > 0 else 1.0
    x = min(max(low / whole * 100, 0.0), 100 - LEAST_WIDTH)
    width = max((high - low) / whole * 100, LEAST_WIDTH)
    return Bar(round(x, 3), round(min(width, 100 - x), 3))


@dataclass(frozen=True)
class RangeFigure:
    """What was predicted and what was measured, on one scale from 0 to ``until``."""

    predicted: Bar
    tolerated: Bar
    measured: Bar | None
    until: float


def range_figure(one: PredictionResult) -> RangeFigure | None:
    """None where nothing was predicted."""
    if one.low is None or one.high is None:
        return None
    slack = one.tolerance or 0.0
    until = max(one.high + slack, *(one.between or (0.0,)), one.measured or 0.0) * 1.1 or 1.0
    measured = None
    if one.between is not None:
        measured = bar(*one.between, of=until)
    return RangeFigure(
        bar(one.low, one.high, of=until),
        bar(max(one.low - slack, 0.0), one.high + slack, of=until),
        measured,
        until,
    )
