"""The judge: all objectives, all gates, the story, the predictions, merged into one verdict."""

from __future__ import annotations

from quorate.harness.judge.clients import ladder
from quorate.harness.judge.evidence import Evidence
from quorate.harness.judge.gates import gates
from quorate.harness.judge.objectives import judge_objective
from quorate.harness.judge.story import first_of_one_probe, tell
from quorate.harness.model.experiment import Experiment
from quorate.harness.model.timeline import Event, Timeline
from quorate.harness.model.verdict import (
    Guard,
    ObjectiveResult,
    PredictionResult,
    State,
    Story,
    Verdict,
    merge,
)

PREDICTION_MARGIN = 0.1
"""A measured outage may leave its prediction by this share (reference/timings_and_slos.md §3)."""


def judge(experiment: Experiment, timeline: Timeline) -> Verdict:
    """The verdict on a run; the same timeline gives the same bytes, always.

    MISSED when an objective is missed or the guard tripped; INCONCLUSIVE when a gate fails or an
    objective is, as each of a run is that ended before its faults; else MET.
    """
    evidence = Evidence.of(experiment, timeline)
    objectives = tuple(
        _bounded(judge_objective(objective, evidence), experiment.bounds(index))
        for index, objective in enumerate(experiment.objectives)
    )
    objectives += _tripped(evidence)
    held = gates(evidence)
    story = tell(evidence)
    states = [result.state for result in objectives]
    states += [State.MET if gate.ok else State.INCONCLUSIVE for gate in held]
    return Verdict(
        run_id=timeline.run_id,
        title=experiment.title,
        verdict=merge(states),
        arrangements=experiment.given,
        objectives=objectives,
        guard=_guard(evidence),
        clients=ladder(evidence),
        gates=held,
        story=story,
        predicted=_predicted(evidence, story=story),
        notes=(*timeline.notes, *_noted(timeline)),
    )


def _bounded(result: ObjectiveResult, bounds: dict[str, float]) -> ObjectiveResult:
    return result.model_copy(update={"bounds": bounds, "judged_by": list(bounds)[-1]})


def _guard(evidence: Evidence) -> Guard | None:
    guard = evidence.experiment.abort_when
    if guard is None:
        return None
    tripped = evidence.timeline.first("guard_tripped")
    bounds = evidence.experiment.bounds(len(evidence.experiment.objectives))
    return Guard(
        of=guard.of,
        deadline_s=guard.deadline_s,
        bound=guard.at_most,
        bounds=bounds,
        judged_by=list(bounds)[-1],
        tripped_at=None if tripped is None else tripped.t,
    )


def _tripped(evidence: Evidence) -> tuple[ObjectiveResult, ...]:
    """``abort_when`` as a missed objective where it tripped; nothing where it did not."""
    guard, told = evidence.experiment.abort_when, _guard(evidence)
    if guard is None or told is None or told.tripped_at is None:
        return ()
    reason = f"the guard tripped at {told.tripped_at:.3f} s: the fault was undone at once"
    update = {"state": State.MISSED, "guard": True, "reason": reason}
    result = _bounded(judge_objective(guard, evidence), dict(told.bounds))
    return (result.model_copy(update=update),)


def _predicted(evidence: Evidence, *, story: Story) -> tuple[PredictionResult, ...]:
    return tuple(
        _prediction(event, evidence=evidence, story=story)
        for event in evidence.timeline.of_kind("prediction")
    )


def _prediction(event: Event, *, evidence: Evidence, story: Story) -> PredictionResult:
    data = event.data
    low, high = _seconds(data.get("low_s")), _seconds(data.get("high_s"))
    component = data.get("component")
    what = str(data.get("what"))
    measured = tolerance = inside = None
    if what == "longest_outage_s" and component is None:
        measured = _measured(evidence, story=story)
    if measured is not None:
        tolerance = round(_period_s(evidence) + PREDICTION_MARGIN * high, 6)
        inside = low - tolerance <= measured <= high + tolerance
    return PredictionResult(
        what=what,
        component=component if isinstance(component, str) else None,
        low_s=low,
        high_s=high,
        formula=str(data.get("formula", "")),
        measured_s=measured,
        tolerance_s=tolerance,
        inside=inside,
    )


def _seconds(value: object) -> float:
    return round(float(value), 6) if isinstance(value, int | float) else 0.0


def _measured(evidence: Evidence, *, story: Story) -> float | None:
    """Length of the story's outage; 0 where one was asked for, its probe spoke, and none was."""
    if story.outage is not None:
        return round(story.outage[1] - story.outage[0], 6)
    phase, first = evidence.phases.get("fault"), first_of_one_probe(evidence)
    if phase is None or first is None:
        return None
    seen = evidence.counts(first.of, deadline_s=first.deadline_s, phase=phase)
    return 0.0 if seen.good else None


def _period_s(evidence: Evidence) -> float:
    first = first_of_one_probe(evidence)
    return 0.0 if first is None else evidence.period_s(first.of)


def _noted(timeline: Timeline) -> tuple[str, ...]:
    return tuple(str(event.data.get("text", "")) for event in timeline.of_kind("data_note"))
