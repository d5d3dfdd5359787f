"""One objective → one number with its uncertainty, and whether the bound holds."""

from __future__ import annotations

from quorate.harness.judge.evidence import Evidence
from quorate.harness.judge.intervals import Counts
from quorate.harness.judge.outages import enough, judge_intervals
from quorate.harness.judge.rescheduling import time_to_rescheduled
from quorate.harness.judge.result import Number, result, state_of, unanswered
from quorate.harness.judge.shares import judge_share
from quorate.harness.judge.times import not_whole, time_to_drained, time_to_whole
from quorate.harness.model.objectives import (
    BadSamples,
    FailedShare,
    NotWhole,
    Objective,
    TimeToDrained,
    TimeToRescheduled,
    TimeToWhole,
)
from quorate.harness.model.verdict import ObjectiveResult, State


def judge_objective(objective: Objective, evidence: Evidence) -> ObjectiveResult:
    """The answer to one objective."""
    if isinstance(objective, TimeToWhole):
        found = time_to_whole(objective, evidence)
    elif isinstance(objective, NotWhole):
        found = not_whole(objective, evidence)
    elif isinstance(objective, TimeToDrained):
        found = time_to_drained(objective, evidence)
    elif isinstance(objective, TimeToRescheduled):
        found = time_to_rescheduled(objective, evidence)
    elif isinstance(objective, BadSamples):
        found = _bad_samples(objective, evidence)
    elif isinstance(objective, FailedShare):
        found = judge_share(objective, evidence)
    else:
        found = judge_intervals(objective, evidence)
    if evidence.unbegun:
        why = "the run ended before anything was injected"
        reason = f"{why}; {found.reason}" if found.reason else why
        found = found.model_copy(update={"state": State.INCONCLUSIVE, "reason": reason})
    return found


def _bad_samples(objective: BadSamples, evidence: Evidence) -> ObjectiveResult:
    phase = evidence.phases.get(objective.during)
    if phase is None:
        return unanswered(objective, f"the phase {objective.during!r} did not take place")
    each = {
        probe: evidence.counts(probe, deadline_s=objective.deadline_s, phase=phase)
        for probe in objective.of
    }
    silent = [probe for probe, seen in each.items() if not seen.known]
    if silent:
        return unanswered(objective, f"no sample of {', '.join(silent)} says anything")
    seen = sum(each.values(), Counts())
    over = seen.bad > objective.at_most
    surely_within = seen.bad + seen.unknown <= objective.at_most
    state, few = enough(each, state=state_of(over=over, surely_within=surely_within))
    reason = f"{seen.bad} of {seen.total} samples"
    if seen.unknown:
        reason += f", and {seen.unknown} of which we cannot tell"
    reason = "; ".join(filter(None, (reason, few)))
    number = Number(float(seen.bad), float(seen.bad), float(seen.bad + seen.unknown))
    return result(objective, number=number, state=state, reason=reason)
