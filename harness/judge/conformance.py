"""Whether what was measured is what the live configuration implies.

Outside means that this configuration is not what runs, or that something else broke too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

from pydantic import ValidationError

from quorate.harness.judge.evidence import Evidence
from quorate.harness.judge.story import HEARD_LATE_S
from quorate.harness.model.timeline import Event
from quorate.harness.model.verdict import SETTLED, ObjectiveResult, PredictionResult, Story

MARGIN = 0.1
"""What is measured may leave its prediction by this share (reference/timings_and_slos.md §3)."""

LEASE = "lease "

TAKEN_OUT = ("haproxy_backend", "node")
"""Components that have settled when what was hit is no longer counted in; of the others another
one has taken its place."""


def conformance(
    evidence: Evidence, *, objectives: Collection[ObjectiveResult], story: Story
) -> tuple[PredictionResult, ...]:
    """Each prediction that the run wrote down, with what came of it."""
    return tuple(
        _compared(event, evidence=evidence, objectives=objectives, story=story)
        for event in evidence.timeline.of_kind("prediction")
    )


def _compared(
    event: Event, *, evidence: Evidence, objectives: Collection[ObjectiveResult], story: Story
) -> PredictionResult:
    told = _read(event)
    if told.low is None or told.high is None:
        return told
    is_part = told.what == SETTLED
    seen = _settled(told, evidence, story) if is_part else _measured(told, objectives)
    if seen is None:
        return told
    tolerance = MARGIN * told.high
    inside = seen.most >= told.low - tolerance and seen.least <= told.high + tolerance
    return told.model_copy(
        update={
            "measured": round(seen.value, 6),
            "between": (round(seen.least, 6), round(seen.most, 6)),
            "tolerance": round(tolerance, 6),
            "inside": inside,
            "last": None if inside or is_part else story.last_component_for_clients,
        }
    )


def _read(event: Event) -> PredictionResult:
    known = {
        key: value for key, value in event.data.items() if key in PredictionResult.model_fields
    }
    try:
        return PredictionResult.model_validate(known)
    except ValidationError:
        what = str(event.data.get("what"))
        return PredictionResult(what=what, reason="what the run wrote down cannot be read")


class _Seen(NamedTuple):
    """A measured number, and the range that the true one lies in."""

    value: float
    least: float
    most: float


def _measured(told: PredictionResult, objectives: Collection[ObjectiveResult]) -> _Seen | None:
    """Of the objective that was predicted.

    None where it was not measured, or had not ended when the data ended.
    """
    asked = (told.what, told.of, told.during, told.deadline_s)
    for one in objectives:
        if (one.indicator, one.of, one.during, one.deadline_s) != asked or one.value is None:
            continue
        if one.censored or one.low is None or one.high is None:
            return None
        return _Seen(one.value, one.low, one.high)
    return None


def _settled(told: PredictionResult, evidence: Evidence, story: Story) -> _Seen | None:
    """From the injection until it was heard.

    The act itself takes a moment, and facts are heard a little late: it may have been less.
    """
    timeline = evidence.timeline
    started, acted = timeline.first("injection_started"), timeline.first("injection_acted")
    if started is None or acted is None:
        return None
    undo = timeline.first("undo_started")
    until = undo.t if undo is not None else timeline.end
    first: dict[object, float] = {}
    for event in _telling(told, evidence=evidence, nodes=story.faulted_nodes):
        if started.t <= event.t <= until:
            first.setdefault((event.data.get("at"), event.data.get("node")), event.t)
    if not first:
        return None
    # Each load balancer finds out for itself; the VIP and a leader are taken once.
    each = max if told.component in TAKEN_OUT else min
    value = each(first.values()) - started.t
    late_s = acted.t - started.t + HEARD_LATE_S
    return _Seen(value, max(0.0, value - late_s), value)


def _telling(
    told: PredictionResult, *, evidence: Evidence, nodes: Collection[str]
) -> Iterator[Event]:
    """The events by which a component has done its part, in order."""
    component = told.component or ""
    if component.startswith(LEASE):
        name = component.removeprefix(LEASE)
        for event in evidence.timeline.of_kind("injection_proved"):
            if event.data.get("lease") == name:
                yield event
        return
    gone = component in TAKEN_OUT
    for event in evidence.timeline.of_kind("fact"):
        data = event.data
        if data.get("component") != component or (data.get("node") in nodes) is not gone:
            continue
        if data.get("good") is (not gone):
            yield event
