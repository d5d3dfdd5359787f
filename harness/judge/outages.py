"""Objectives about disruption intervals: the longest, all together, weighted, how many.

Always on the conservative side: MET only where the largest number that the data allows is within
the bound, MISSED where the smallest one (with the sampler's resolution) is not. In between only
UNKNOWN samples could decide, an answer that came slowly when an outage ended, or the chance by
which a partial failure hits samples: INCONCLUSIVE.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from quorate.harness.judge.evidence import Evidence
from quorate.harness.judge.intervals import (
    BAD_CODE,
    GOOD_CODE,
    UNKNOWN_CODE,
    Classified,
    Counts,
    Interval,
    end_early_s,
    start_early_s,
)
from quorate.harness.judge.partial import weighted_samples
from quorate.harness.judge.result import Number, result, state_of, unanswered
from quorate.harness.judge.seen import Seen
from quorate.harness.model.objectives import LongestOutage, OfIntervals, Outages, WeightedOutage
from quorate.harness.model.verdict import ObjectiveResult, State

SAMPLES = 10
"""Fewer known samples in a phase say nothing about it: a bound is resolved by ten samples or more
(reference/timings_and_slos.md §2.8, rule 7)."""

BY_CHANCE = "the bound lies inside the band of chance: these samples are too few to tell"
BY_SLOWNESS = "it may have been longer by what the first good answer after it took"


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
    if not isinstance(objective, Outages):
        number = _by_other_clock(number, clock_s=evidence.clock_s(objective.of))
    endless = any(one.censored for one in seen.least) and not evidence.cut_short
    ends = not any(one.censored for one in seen.most)
    at_most = objective.at_most
    decided = state_of(
        over=round(number.least, 6) > at_most or endless,
        surely_within=ends and round(number.high, 6) <= at_most,
    )
    state, scattered = _doubted(objective, seen, state=decided)
    state, few = enough({objective.of: counted}, state=state)
    censored = any(one.censored for one in seen.found)
    why = _why(state=state, unknown=counted.unknown, censored=censored, cut=evidence.cut_short)
    if not why and decided is State.INCONCLUSIVE:
        why = BY_CHANCE if isinstance(objective, WeightedOutage) else BY_SLOWNESS
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
    together = max if isinstance(objective, LongestOutage) else sum
    found, least, most = (
        _length(each, seen.classified, together=together)
        for each in (seen.found, seen.least, seen.most)
    )
    surely = least.value + least.resolution_s
    return Range(found.value, max(0.0, least.low), max(most.high, found.high), surely)


def _by_other_clock(number: Range, *, clock_s: float) -> Range:
    """The phases are told by our clock, and samples by that of the node that they are from: what is
    cut where a phase begins may be longer or shorter by as much as they may differ."""
    return number._replace(
        low=max(0.0, number.low - clock_s),
        high=number.high + clock_s,
        least=number.least - clock_s,
    )


class Length(NamedTuple):
    """Of disruptions, seconds: as sampled, how finely, and the range of the true one."""

    value: float
    resolution_s: float
    low: float
    high: float


def _length(
    found: list[Interval], classified: Classified, *, together: Callable[[Iterable[float]], float]
) -> Length:
    """Each edge lies between two samples: ± one period an interval, and what a request took.

    Where none was seen, one shorter than a period may have been missed.
    """
    period_s = classified.period_s
    if not found:
        return Length(0.0, period_s, 0.0, period_s)
    return Length(
        together(one.length_s for one in found),
        together(period_s for _ in found),
        together(one.length_s - period_s - start_early_s(one, classified) for one in found),
        together(one.length_s + period_s + end_early_s(one, classified) for one in found),
    )


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
