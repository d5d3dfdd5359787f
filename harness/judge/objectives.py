"""One objective → one number with its uncertainty, and whether the bound holds.

Always judged on the conservative side: MET only where the largest number that the data allows is
within the bound, MISSED where the measured one (with the sampler's resolution) is not, and
INCONCLUSIVE in between: there UNKNOWN samples alone decide.
"""

from __future__ import annotations

from typing import NamedTuple

from quorate.harness.judge.evidence import Evidence
from quorate.harness.judge.intervals import (
    BAD_CODE,
    GOOD_CODE,
    UNKNOWN_CODE,
    Counts,
    Interval,
    intervals,
    within,
)
from quorate.harness.judge.phases import Phase
from quorate.harness.model.experiment import (
    DRAIN,
    AnyOutage,
    BadSamples,
    LongestOutage,
    Objective,
    TimeToDrained,
    TimeToWhole,
    during_of,
    probes_of,
)
from quorate.harness.model.timeline import Event
from quorate.harness.model.verdict import ObjectiveResult, State

UNKNOWN_SHARE = 0.01
"""More unknown samples than this in a phase, and the phase says nothing (design.md)."""

WHOLE_RESOLUTION_S = 0.5
"""Slowest follower of a component's state polls at 2 Hz; a ``whole`` event may say otherwise."""

DRAIN_RESOLUTION_S = 2.0
"""A drain looks twice a second whether its pods have gone, and starts and ends as a process."""


def judge_objective(objective: Objective, evidence: Evidence) -> ObjectiveResult:
    """The answer to one objective."""
    if isinstance(objective, TimeToWhole):
        result = _time_to_whole(objective, evidence)
    elif isinstance(objective, TimeToDrained):
        result = _time_to_drained(objective, evidence)
    elif isinstance(objective, BadSamples):
        result = _bad_samples(objective, evidence)
    else:
        result = _outage(objective, evidence)
    if evidence.refused:
        why = "the run was stopped before anything was injected"
        reason = f"{why}; {result.reason}" if result.reason else why
        result = result.model_copy(update={"state": State.INCONCLUSIVE, "reason": reason})
    return result


def _outage(objective: AnyOutage, evidence: Evidence) -> ObjectiveResult:
    phase = evidence.phases.get(objective.during)
    if phase is None:
        return _unanswered(objective, f"the phase {objective.during!r} did not take place")
    seen = evidence.counts(objective.of, deadline_s=objective.deadline_s, phase=phase)
    if seen.good + seen.bad == 0:
        return _unanswered(objective, f"no sample of {objective.of} in this phase says anything")
    found = _found(objective, evidence, phase=phase, unknown_as=UNKNOWN_CODE)
    least = _found(objective, evidence, phase=phase, unknown_as=GOOD_CODE)
    most = _found(objective, evidence, phase=phase, unknown_as=BAD_CODE)
    longest = max(found, key=lambda interval: interval.length_s, default=None)
    period_s = evidence.period_s(objective.of)
    value, resolution_s = _measure(objective, found, period_s=period_s)
    low = max(0.0, _measure(objective, least, period_s=period_s)[0] - resolution_s)
    high_value, high_resolution_s = _measure(objective, most, period_s=period_s)
    high = round(max(high_value + high_resolution_s, value + resolution_s), 6)
    censored = any(interval.censored for interval in found)
    over = round(value + resolution_s, 6) > objective.at_most or censored
    state = _state(over=over, surely_within=high <= objective.at_most)
    at = (longest.start, longest.end) if longest is not None else None
    reason = _outage_reason(censored=censored, state=state, seen=seen)
    number = _Number(value, low, None if censored else high, at, censored)
    return _result(objective, number=number, state=state, reason=reason)


def _found(
    objective: AnyOutage, evidence: Evidence, *, phase: Phase, unknown_as: bytes
) -> list[Interval]:
    classified = evidence.classified(objective.of, deadline_s=objective.deadline_s)
    every = intervals(classified, unknown_as=unknown_as)
    return within(every, since=phase.reach, until=phase.end)


def _measure(
    objective: AnyOutage, found: list[Interval], *, period_s: float
) -> tuple[float, float]:
    """(value, how far the true one may lie from it), seconds.

    Each edge of an interval lies between two samples: ± one period an interval. Where none was
    seen, one shorter than a period may have been missed.
    """
    lengths = [interval.length_s for interval in found]
    if isinstance(objective, LongestOutage):
        return max(lengths, default=0.0), period_s
    return sum(lengths), period_s * max(1, len(lengths))


def _outage_reason(*, censored: bool, state: State, seen: Counts) -> str:
    if censored:
        return "the outage had not ended when the data ended"
    if state is State.INCONCLUSIVE:
        return f"{seen.unknown} unknown sample(s) may hide a longer outage"
    return ""


def _bad_samples(objective: BadSamples, evidence: Evidence) -> ObjectiveResult:
    phase = evidence.phases.get(objective.during)
    if phase is None:
        return _unanswered(objective, f"the phase {objective.during!r} did not take place")
    each = {
        probe: evidence.counts(probe, deadline_s=objective.deadline_s, phase=phase)
        for probe in objective.of
    }
    silent = [probe for probe, seen in each.items() if seen.good + seen.bad == 0]
    if silent:
        return _unanswered(objective, f"no sample of {', '.join(silent)} says anything")
    seen = sum(each.values(), Counts())
    over = seen.bad > objective.at_most
    surely_within = seen.bad + seen.unknown <= objective.at_most
    state = _state(over=over, surely_within=surely_within)
    reason = f"{seen.bad} of {seen.total} samples"
    if seen.unknown:
        reason += f", and {seen.unknown} of which we cannot tell"
    number = _Number(float(seen.bad), float(seen.bad), float(seen.bad + seen.unknown))
    return _result(objective, number=number, state=state, reason=reason)


def _time_to_whole(objective: TimeToWhole, evidence: Evidence) -> ObjectiveResult:
    timeline = evidence.timeline
    kind = "undo_started" if objective.since == "undo" else "injection_started"
    since = timeline.first(kind)
    if since is None:
        return _unanswered(objective, f"there is no {objective.since} to count from")
    last = last_whole(evidence)
    if last is None:
        return _unanswered(objective, "nothing was heard about the components' state")
    if last.data.get("whole") is not True:
        end = evidence.phases["run"].end
        missing = ", ".join(str(name) for name in _list(last.data.get("missing")))
        so_far = max(0.0, end - since.t)
        return _result(
            objective,
            number=_Number(so_far, so_far, None, (since.t, end), censored=True),
            state=State.MISSED,
            reason=f"not whole when the data ended; missing: {missing or 'not said'}",
        )
    ended = timeline.last("return_ended")
    if last.t < since.t and (ended is None or ended.data.get("reached") is not True):
        # Silence is no proof: somebody must have looked at the end and found it whole.
        return _unanswered(objective, "nobody looked at the components after that moment")
    value = max(0.0, last.t - since.t)
    resolution_s = last.data.get("resolution_s", WHOLE_RESOLUTION_S)
    resolution_s = float(resolution_s) if isinstance(resolution_s, int | float) else 0.0
    # Stamped at receipt: the cluster was whole before we knew, never later.
    at = (since.t, max(since.t, last.t))
    return _result(
        objective,
        number=_Number(value, max(0.0, value - resolution_s), value, at),
        state=State.MET if value <= objective.at_most else State.MISSED,
        reason="" if value else "whole already at that moment",
    )


def _time_to_drained(objective: TimeToDrained, evidence: Evidence) -> ObjectiveResult:
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
        return _unanswered(objective, "no drain was seen to bite")
    started, proved = max(drains, key=lambda pair: pair[1].t - pair[0].t)
    value = max(0.0, proved.t - started.t)
    at = (started.t, started.t + value)
    left = [str(text) for _, one in drains for text in _list(one.data.get("left"))]
    if left:
        return _result(
            objective,
            number=_Number(value, value, None, at, censored=True),
            state=State.MISSED,
            reason=f"not drained: {'; '.join(left)}",
        )
    low = max(0.0, value - DRAIN_RESOLUTION_S)
    state = State.MET if value <= objective.at_most else State.MISSED
    return _result(objective, number=_Number(value, low, value, at), state=state, reason="")


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


def _state(*, over: bool, surely_within: bool) -> State:
    if over:
        return State.MISSED
    return State.MET if surely_within else State.INCONCLUSIVE


class _Number(NamedTuple):
    """A measured number, the range of the true one, and the interval that it is about."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    at: tuple[float, float] | None = None
    censored: bool = False


def _unanswered(objective: Objective, reason: str, /) -> ObjectiveResult:
    return _result(objective, number=_Number(), state=State.INCONCLUSIVE, reason=reason)


def _result(objective: Objective, *, number: _Number, state: State, reason: str) -> ObjectiveResult:
    return ObjectiveResult(
        indicator=objective.indicator,
        of=probes_of(objective),
        during=during_of(objective),
        deadline_s=None
        if isinstance(objective, TimeToWhole | TimeToDrained)
        else objective.deadline_s,
        bound=float(objective.at_most),
        value=_rounded(number.value),
        low=_rounded(number.low),
        high=_rounded(number.high),
        unit="samples" if isinstance(objective, BadSamples) else "s",
        state=state,
        censored=number.censored,
        at=None if number.at is None else (round(number.at[0], 6), round(number.at[1], 6)),
        reason=reason,
    )


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 6)
