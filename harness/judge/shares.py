"""Objectives about the share of requests that failed, of all that were due in a phase."""

from __future__ import annotations

from quorate.harness.judge.binomial import share_band
from quorate.harness.judge.evidence import Evidence
from quorate.harness.judge.outages import BY_CHANCE, enough
from quorate.harness.judge.result import Number, result, state_of, unanswered
from quorate.harness.model.objectives import FailedShare
from quorate.harness.model.verdict import ObjectiveResult, State


def judge_share(objective: FailedShare, evidence: Evidence) -> ObjectiveResult:
    """MET where even the upper edge of the band of chance is within the bound (Clopper-Pearson,
    with all unknown samples bad), MISSED where even the lower one is not (with all of them good).
    """
    phase = evidence.phases.get(objective.during)
    if phase is None:
        return unanswered(objective, f"the phase {objective.during!r} did not take place")
    seen = evidence.counts(objective.of, deadline_s=objective.deadline_s, phase=phase)
    if not seen.known:
        return unanswered(objective, f"no sample of {objective.of} in this phase says anything")
    low = 100 * share_band(seen.bad, seen.total)[0]
    high = 100 * share_band(seen.bad + seen.unknown, seen.total)[1]
    decided = state_of(
        over=round(low, 6) > objective.at_most, surely_within=round(high, 6) <= objective.at_most
    )
    state, few = enough({objective.of: seen}, state=decided)
    said = [f"{seen.bad} of {seen.total} samples"]
    if seen.unknown:
        said.append(f"{seen.unknown} of which we cannot tell")
    if decided is State.INCONCLUSIVE:
        said.append(BY_CHANCE)
    number = Number(100 * seen.bad / seen.known, low, high)
    return result(
        objective, number=number, state=state, reason="; ".join(filter(None, [*said, few]))
    )
