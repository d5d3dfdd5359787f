"""What an experiment's objectives should come to, and when each component should have settled."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from quorate.harness.model.experiment import Experiment
from quorate.harness.model.objectives import (
    BadSamples,
    LongestOutage,
    Objective,
    TimeToDrained,
    TimeToRescheduled,
    TotalOutage,
    deadline_of,
    span_of,
    subjects_of,
    unit_of,
)
from quorate.harness.model.verdict import SETTLED, PredictionResult
from quorate.harness.predict import api_path, service_path
from quorate.harness.predict.cluster_facts import ClusterFacts, Unpredicted
from quorate.harness.predict.formulas import Bound
from quorate.harness.predict.parts import Parts
from quorate.harness.predict.rescheduling import rescheduled
from quorate.harness.predict.situation import Asked, Cost, Situation

FAULT = "fault"
"""The one phase that is predicted."""

RETURN_LEG = "how long what comes back takes to start is in no configuration"

SHARE = "which share of the requests a fault hits, and how often, is not predicted"


def predict(
    experiment: Experiment,
    situation: Situation,
    facts: ClusterFacts,
    *,
    entries: Mapping[str, str | None],
) -> tuple[PredictionResult, ...]:
    """One for each objective that is about the fault or what follows it, then the components.

    `entries`: probe → the node at which its way into the cluster begins, where it is one.
    """
    one = _Predicting(experiment, situation, facts, entries)
    asked = [item for item in experiment.objectives if span_of(item) != "baseline"]
    return (*(one.objective(item) for item in asked), *one.components())


def unpredicted(experiment: Experiment, reason: str) -> tuple[PredictionResult, ...]:
    """The same for an experiment of which nothing can be said."""
    asked = [item for item in experiment.objectives if span_of(item) != "baseline"]
    return tuple(_told(item).model_copy(update={"reason": reason}) for item in asked)


@dataclass(frozen=True)
class _Predicting:
    experiment: Experiment
    situation: Situation
    facts: ClusterFacts
    entries: Mapping[str, str | None]

    def objective(self, objective: Objective) -> PredictionResult:
        """What it should come to."""
        told = _told(objective)
        try:
            bound = self._bound(objective)
        except Unpredicted as why:
            return told.model_copy(update={"reason": str(why)})
        return _with(told, bound)

    def components(self) -> Iterator[PredictionResult]:
        """When each that is touched has settled."""
        for component, found in Parts(self.situation, self.facts).settled():
            told = PredictionResult(what=SETTLED, component=component)
            if isinstance(found, str):
                yield told.model_copy(update={"reason": found})
            else:
                yield _with(told, found)

    def _bound(self, objective: Objective) -> Bound:
        if isinstance(objective, TimeToDrained):
            return service_path.drained(self.situation, self.facts)
        if isinstance(objective, TimeToRescheduled):
            return rescheduled(objective.owner, self.situation, self.facts)
        if span_of(objective) != FAULT:
            raise Unpredicted(RETURN_LEG)
        if isinstance(objective, LongestOutage | TotalOutage):
            return self._outage(objective.of, deadline_s=objective.deadline_s)
        if not isinstance(objective, BadSamples):
            raise Unpredicted(SHARE)
        each = {
            probe: self._outage(probe, deadline_s=objective.deadline_s) for probe in objective.of
        }
        return _samples(each, experiment=self.experiment)

    def _outage(self, probe: str, *, deadline_s: float) -> Bound:
        """The longest one, seconds."""
        spec = self.experiment.probes[probe]
        asked = Asked(
            probe=spec.probe,
            path=spec.path or str(spec.url),
            reused=spec.connection == "reused",
            deadline_s=deadline_s,
            period_s=spec.period_s,
            gives_up_s=self.experiment.hard_timeout_s(probe),
            entry=self.entries.get(probe),
        )
        costs_of = (
            service_path.service_costs
            if spec.path.partition(":")[0] == service_path.PATH
            else api_path.api_costs
        )
        return _slowest(costs_of(self.situation, asked, self.facts))


def _slowest(costs: list[Cost]) -> Bound:
    """They run at the same time: the maximum, each named."""
    if not costs:
        return Bound(0.0, 0.0, "nothing on the way is touched")
    if len(costs) == 1:
        return costs[0].bound
    each = {
        f"{one.component} {one.bound.low_s:.2f} to {one.bound.high_s:.2f} s ({one.bound.formula})"
        for one in costs
    }
    return Bound(
        low_s=max(one.bound.low_s for one in costs),
        high_s=max(one.bound.high_s for one in costs),
        formula=f"the slowest of: {'; '.join(sorted(each))}",
    )


def _samples(each: Mapping[str, Bound], *, experiment: Experiment) -> Bound:
    """How many samples may be bad, at the rates of the probes; an edge may take one more."""
    low = high = 0
    for probe, bound in each.items():
        period_s = experiment.probes[probe].period_s
        low += max(0, math.floor(bound.low_s / period_s) - 1)
        high += math.ceil(bound.high_s / period_s) + 1 if bound.high_s else 0
    formulas = dict.fromkeys(bound.formula for bound in each.values())
    return Bound(float(low), float(high), "; ".join(formulas))


def _told(objective: Objective) -> PredictionResult:
    return PredictionResult(
        what=objective.indicator,
        of=subjects_of(objective),
        during=span_of(objective),
        deadline_s=deadline_of(objective),
        unit=unit_of(objective),
    )


def _with(told: PredictionResult, /, bound: Bound) -> PredictionResult:
    low, high = round(bound.low_s, 6), round(bound.high_s, 6)
    return told.model_copy(update={"low": low, "high": high, "formula": bound.formula})
