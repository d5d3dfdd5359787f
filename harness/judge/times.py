"""Objectives about moments: how long until the cluster was whole again, or a node empty."""

from __future__ import annotations

from quorate.harness.judge.evidence import Evidence
from quorate.harness.judge.result import Number, result, state_of, unanswered
from quorate.harness.model.experiment import DRAIN
from quorate.harness.model.objectives import NotWhole, TimeToDrained, TimeToWhole
from quorate.harness.model.timeline import Event
from quorate.harness.model.verdict import ObjectiveResult, State

WHOLE_RESOLUTION_S = 0.5
"""Slowest follower of a component's state polls at 2 Hz; a ``whole`` event may say otherwise."""

DRAIN_RESOLUTION_S = 2.0
"""A drain looks twice a second whether its pods have gone, and starts and ends as a process."""


def time_to_whole(objective: TimeToWhole, evidence: Evidence) -> ObjectiveResult:
    """Until the last word that all is whole; censored where the last word is another."""
    timeline = evidence.timeline
    kind = "undo_started" if objective.since == "undo" else "injection_started"
    since = timeline.first(kind)
    if since is None:
        return unanswered(objective, f"there is no {objective.since} to count from")
    last = last_whole(evidence)
    if last is None:
        return unanswered(objective, "nothing was heard about the components' state")
    if last.data.get("whole") is not True:
        end = evidence.phases["run"].end
        missing = ", ".join(str(name) for name in _list(last.data.get("missing")))
        so_far = max(0.0, end - since.t)
        cut = evidence.cut_short
        over = not cut or so_far > objective.at_most
        when = f"the run was cut short ({cut})" if cut else "the data ended"
        return result(
            objective,
            number=Number(so_far, so_far, None, (since.t, end), censored=True),
            state=state_of(over=over, surely_within=False),
            reason=f"not whole when {when}; missing: {missing or 'not said'}",
        )
    ended = timeline.last("return_ended")
    if last.t < since.t and (ended is None or ended.data.get("reached") is not True):
        # Silence is no proof: somebody must have looked at the end and found it whole.
        return unanswered(objective, "nobody looked at the components after that moment")
    value = max(0.0, last.t - since.t)
    resolution_s = last.data.get("resolution_s", WHOLE_RESOLUTION_S)
    resolution_s = float(resolution_s) if isinstance(resolution_s, int | float) else 0.0
    # Stamped at receipt: the cluster was whole before we knew, never later.
    at = (since.t, max(since.t, last.t))
    return result(
        objective,
        number=Number(value, max(0.0, value - resolution_s), value, at),
        state=State.MET if value <= objective.at_most else State.MISSED,
        reason="" if value else "whole already at that moment",
    )


def not_whole(objective: NotWhole, evidence: Evidence) -> ObjectiveResult:
    """How much of a phase something was missing, by the words about wholeness around it."""
    phase = evidence.phases.get(objective.during)
    if phase is None:
        return unanswered(objective, f"the phase {objective.during!r} did not take place")
    said = [event for event in evidence.timeline.of_kind("whole") if event.t < phase.end]
    if not said or said[0].t > phase.start:
        return unanswered(objective, "nothing was heard about the components before that phase")
    until = [*(event.t for event in said[1:]), phase.end]
    stretches = [
        (max(event.t, phase.start), min(end, phase.end))
        for event, end in zip(said, until, strict=True)
        if event.data.get("whole") is not True and end > phase.start
    ]
    joined: list[tuple[float, float]] = []
    for start, end in stretches:
        if joined and joined[-1][1] == start:
            start = joined.pop()[0]
        joined.append((start, end))
    value = sum(end - start for start, end in joined)
    doubt_s = WHOLE_RESOLUTION_S * len(joined)
    low, high = max(0.0, value - doubt_s), value + doubt_s
    longest = max(joined, key=lambda one: one[1] - one[0], default=None)
    return result(
        objective,
        number=Number(value, low, high, longest),
        state=state_of(over=low > objective.at_most, surely_within=high <= objective.at_most),
        reason=f"{len(joined)} times" if len(joined) > 1 else "",
    )


def time_to_drained(objective: TimeToDrained, evidence: Evidence) -> ObjectiveResult:
    """From the act to the look that found the last pod gone; MISSED where one had not."""
    drains = [
        (started, proved)
        for started in evidence.timeline.of_kind("injection_started")
        for proved in evidence.timeline.of_kind("injection_proved")
        if started.data.get("fault") == DRAIN
        and proved.data.get("injection") == started.data.get("injection")
        and isinstance(proved.data.get("drained"), bool)
    ]
    if not drains:
        return unanswered(objective, "no drain was seen to bite")
    started, proved = max(drains, key=lambda pair: pair[1].t - pair[0].t)
    value = max(0.0, proved.t - started.t)
    at = (started.t, started.t + value)
    left = [str(text) for _, one in drains for text in _list(one.data.get("left"))]
    if left:
        return result(
            objective,
            number=Number(value, value, None, at, censored=True),
            state=State.MISSED,
            reason=f"not drained: {'; '.join(left)}",
        )
    low = max(0.0, value - DRAIN_RESOLUTION_S)
    state = State.MET if value <= objective.at_most else State.MISSED
    return result(objective, number=Number(value, low, value, at), state=state, reason="")


def last_whole(evidence: Evidence) -> Event | None:
    """The last word about wholeness before the return leg (or the run) ended.

    The last, not the first: a cluster that was whole and then was not any more is not whole.
    """
    phase = evidence.phases.get("run")
    said = [
        event
        for event in evidence.timeline.of_kind("whole")
        if phase is None or event.t <= phase.end
    ]
    return said[-1] if said else None


def _list(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else []
