"""Objectives about disruption intervals: the longest, all together, weighted, how many.

Always on the conservative side: MET only where the largest number that the data allows is within
the bound, MISSED where the smallest one (with the sampler's resolution) is not. In between only
UNKNOWN samples could decide, or the chance by which a partial failure hits samples: INCONCLUSIVE.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from quorate.harness.judge.evidence import Evidence
from quorate.harness.judge.intervals import BAD_CODE, GOOD_CODE, UNKNOWN_CODE, Counts, Interval
from quorate.harness.judge.partial import weighted_samples
from quorate.harness.judge.result import Number, result, state_of, unanswered
from quorate.harness.judge.seen import Seen
from quorate.harness.model.objectives import LongestOutage, OfIntervals, Outages, WeightedOutage
from quorate.harness.model.verdict import ObjectiveResult, State

SAMPLES = 10
"""Fewer known samples in a phase say nothing about it: a bound is resolved by ten samples or more
(reference/timings_and_slos.md §2.8, rule 7)."""


class Range(NamedTuple):
    """The number measured, and the smallest and largest that the data allows."""

    value: float
    low: float
    high: float
    least: float
    """What is held against the bound to say MISSED: no sample that we do not know decides."""


def judge_intervals(objective: OfIntervals, evidence: Evidence) -> ObjectiveResult:
    """The answer to an objective about one probe's disruptions."""
    phase = evidence.phases.get(objective.during)
    if phase is None:
        return unanswered(objective, f"the phase {objective.during!r} did not take place")
    counted = evidence.counts(objective.of, deadline_s=objective.deadline_s, phase=phase)
    if not counted.known:
        return unanswered(objective, f"no sample of {objective.of} in this phase says anything")
    seen = evidence.seen(objective.of, deadline_s=objective.deadline_s, phase=phase)
    number = _range(objective, seen)
    endless = any(one.censored for one in seen.least) and not evidence.cut_short
    ends = not any(one.censored for one in seen.most)
    at_most = objective.at_most
    state = state_of(
        over=round(number.least, 6) > at_most or endless,
        surely_within=ends and round(number.high, 6) <= at_most,
    )
    state, scattered = _doubted(objective, seen, state=state)
    state, few = enough({objective.of: counted}, state=state)
    censored = any(one.censored for one in seen.found)
    why = _why(state=state, unknown=counted.unknown, censored=censored, cut=evidence.cut_short)
    if not why and isinstance(objective, WeightedOutage) and state is State.INCONCLUSIVE:
        why = "the bound lies inside the band of chance: these samples are too few to tell"
    return result(
        objective,
        number=_number(seen, number, censored=censored),
        state=state,
        reason="; ".join(filter(None, (why, few, scattered))),
    )


def enough(counted: Mapping[str, Counts], *, state: State) -> tuple[State, str]:
    """Nothing is MET by a handful of samples; (state, what is to be said)."""
    few = [f"{seen.known} of {probe}" for probe, seen in counted.items() if seen.known < SAMPLES]
    if state is not State.MET or not few:
        return state, ""
    return State.INCONCLUSIVE, f"too few samples in this phase: {', '.join(few)}"


def _range(objective: OfIntervals, seen: Seen) -> Range:
    if isinstance(objective, WeightedOutage):
        return _weighted(seen)
    if isinstance(objective, Outages):
        return _counted(seen)
    longest = isinstance(objective, LongestOutage)
    value, resolution_s = _length(seen.found, longest=longest, period_s=seen.period_s)
    least, of_least_s = _length(seen.least, longest=longest, period_s=seen.period_s)
    most, of_most_s = _length(seen.most, longest=longest, period_s=seen.period_s)
    high = max(most + of_most_s, value + resolution_s)
    return Range(value, max(0.0, least - resolution_s), high, least + of_least_s)


def _length(found: list[Interval], *, longest: bool, period_s: float) -> tuple[float, float]:
    """(value, how far the true one may lie from it), seconds.

    Each edge of an interval lies between two samples: ± one period an interval. Where none was
    seen, one shorter than a period may have been missed.
    """
    lengths = [interval.length_s for interval in found]
    if longest:
        return max(lengths, default=0.0), period_s
    return sum(lengths), period_s * max(1, len(lengths))


def _weighted(seen: Seen) -> Range:
    """Samples as seconds; besides the band of chance, the outer edges are one period wide."""
    period_s = seen.period_s
    low = weighted_samples(seen.codes.replace(UNKNOWN_CODE, GOOD_CODE))
    high = weighted_samples(seen.codes.replace(UNKNOWN_CODE, BAD_CODE))
    lowest_s = max(0.0, (low.low - 1) * period_s)
    return Range(seen.weighted_s, lowest_s, (high.high + 1) * period_s, lowest_s)


def _counted(seen: Seen) -> Range:
    """Unknown samples may hide more: a run of n of them at most one in every four ticks."""
    # What three known good samples part stays apart, whatever the unknown ones were.
    value = len(seen.found)
    runs = re.finditer(UNKNOWN_CODE + b"+", seen.codes)
    hidden = sum(-(-(run.end() - run.start()) // 4) for run in runs)
    return Range(value, value, max(value, len(seen.least) + hidden), value)


def _doubted(objective: OfIntervals, seen: Seen, *, state: State) -> tuple[State, str]:
    """An interval's length is no answer where failures are scattered; (state, what is to be said).

    It stays MET where even the time lost altogether is within the bound.
    """
    scatter = None if isinstance(objective, WeightedOutage) else seen.scatter
    if scatter is None:
        return state, ""
    lost_s = scatter.bad * seen.period_s
    text = f"{scatter.text()}: they weigh {lost_s:.2f} s, and an interval's length says little"
    asks_length = not isinstance(objective, Outages)
    if state is State.MET and asks_length and lost_s > objective.at_most:
        return State.INCONCLUSIVE, text
    return state, text


def _number(seen: Seen, number: Range, *, censored: bool) -> Number:
    longest = seen.longest
    return Number(
        number.value,
        number.low,
        None if censored else number.high,
        None if longest is None else (longest.start, longest.end),
        censored,
    )


def _why(*, state: State, unknown: int, censored: bool, cut: str) -> str:
    if censored and cut:
        return f"cut short while the outage lasted: {cut}"
    if censored:
        return "the outage had not ended when the data ended"
    if state is State.INCONCLUSIVE and unknown:
        return f"{unknown} unknown sample(s) may hide a longer outage"
    return ""
