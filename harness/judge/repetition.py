"""Several runs of one experiment → what they say together. Pure.

An INCONCLUSIVE run is counted apart and never as MET. One in which a fault was on was a trial whose
answer nobody knows, and not knowing may be the cluster's own doing (a prober that was cut off with
the rest). So it is taken as missed for the lower bound and as met for the upper one. One in which
nothing was broken was no trial: it is named, and counts for nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from quorate.harness.judge.binomial import CONFIDENCE, share_at_least, share_at_most
from quorate.harness.judge.confidence import (
    clean_runs_for,
    quantile_rank,
)
from quorate.harness.model.repetition import Point, Quantile, Share, Summary
from quorate.harness.model.verdict import ObjectiveResult, State, Verdict

CLAIMS = (0.9, 0.95, 0.99)
"""Shares worth claiming (reference/timings_and_slos.md §3)."""

QUANTILES = (0.5, 0.9, 0.95, 0.99)


@dataclass(frozen=True)
class Trial:
    """A run that asked something of the cluster. ``state`` is what it came to as a whole: not MET
    where the run itself failed, whatever its verdict says."""

    state: State
    verdict: Verdict

    @property
    def is_sound(self) -> bool:
        """Whether its numbers are about what was asked: every gate held."""
        return self.state is self.verdict.verdict and all(gate.ok for gate in self.verdict.gates)

    def objectives(self) -> tuple[ObjectiveResult, ...]:
        """Those of the experiment; the guard is none."""
        return tuple(one for one in self.verdict.objectives if not one.guard)


def share_of(states: Sequence[State]) -> Share:
    """What the answers say of the share of runs that are met."""
    met, runs = states.count(State.MET), len(states)
    inconclusive = states.count(State.INCONCLUSIVE)
    more = {claim: clean_runs_for(claim, met=met, runs=runs) for claim in CLAIMS}
    left = [claim for claim in CLAIMS if more[claim]]
    return Share(
        met=met,
        missed=states.count(State.MISSED),
        inconclusive=inconclusive,
        confidence=CONFIDENCE,
        at_least=round(share_at_least(met, runs), 6),
        at_most=round(share_at_most(met + inconclusive, runs), 6),
        claim=max((claim for claim in CLAIMS if not more[claim]), default=None),
        next_claim=left[0] if left else None,
        clean_runs=more[left[0]] if left else None,
    )


def summarize(trials: Sequence[Trial]) -> tuple[Summary, ...]:
    """Each objective over all trials, in the experiment's order."""
    columns = zip(*(trial.objectives() for trial in trials), strict=True)
    return tuple(_summary(column, trials=trials) for column in columns)


def _summary(column: Sequence[ObjectiveResult], *, trials: Sequence[Trial]) -> Summary:
    pairs = list(zip(column, trials, strict=True))
    measured = [result for result, trial in pairs if trial.is_sound and result.value is not None]
    points = sorted(map(_point, measured), key=lambda point: (point.censored, point.value))
    first = column[0]
    return Summary(
        indicator=first.indicator,
        of=first.of,
        during=first.during,
        deadline_s=first.deadline_s,
        unit=first.unit,
        values=tuple(points),
        bound=first.bound,
        share=share_of([_state(result, trial) for result, trial in pairs]),
        least=points[0] if points else None,
        median=middle_of(points),
        most=points[-1] if points else None,
        quantiles=tuple(_quantile(q, measured) for q in QUANTILES),
    )


def middle_of(points: Sequence[Point]) -> Point | None:
    """The upper median; None of nothing."""
    return points[len(points) // 2] if points else None


def _state(result: ObjectiveResult, trial: Trial) -> State:
    unsure = result.state is State.MET and not trial.is_sound
    return State.INCONCLUSIVE if unsure else result.state


def _point(result: ObjectiveResult) -> Point:
    assert result.value is not None
    return Point(value=result.value, censored=result.high is None)


def _quantile(q: float, measured: Sequence[ObjectiveResult]) -> Quantile:
    """By the largest number that each run's data allows."""
    needs, runs = clean_runs_for(q), len(measured)
    rank = quantile_rank(q, runs)
    if rank is None:
        reason = f"needs {needs} runs that measured it, there are {runs}"
        return Quantile(q=q, needs=needs, at_most=None, reason=reason)
    highs = sorted(one.high for one in measured if one.high is not None)
    if rank > len(highs):
        reason = f"not over when the data ended in {runs - len(highs)} of {runs} runs"
        return Quantile(q=q, needs=needs, at_most=None, reason=reason)
    return Quantile(q=q, needs=needs, at_most=highs[rank - 1])
