"""The judge: all objectives, all gates, the story, the predictions, merged into one verdict."""

from __future__ import annotations

from quorate.harness.judge.data_safety import data_safety
from quorate.harness.judge.evidence import Evidence
from quorate.harness.judge.gates import gates
from quorate.harness.judge.objectives import judge_objective
from quorate.harness.judge.story import tell
from quorate.harness.model.experiment import Experiment, Outage
from quorate.harness.model.timeline import Event, Timeline
from quorate.harness.model.verdict import (
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

    MISSED when data was not safe, an objective is missed or the guard tripped; INCONCLUSIVE when a
    gate fails, an objective or a check of data safety is, or nothing was injected although the run
    was refused; else MET.
    """
    evidence = Evidence.of(experiment, timeline)
    objectives = tuple(judge_objective(item, evidence) for item in experiment.objectives)
    objectives += _guard(evidence)
    held = gates(evidence)
    story = tell(evidence)
    safety = data_safety(timeline)
    states = [result.state for result in objectives]
    states += [State.MET if gate.ok else State.INCONCLUSIVE for gate in held]
    states += [check.state for check in safety or ()]
    return Verdict(
        run_id=timeline.run_id,
        title=experiment.title,
        verdict=merge(states),
        arrangements=experiment.given,
        objectives=objectives,
        gates=held,
        data_safety=safety,
        story=story,
        predicted=_predicted(evidence, story=story),
        notes=(*timeline.notes, *_noted(timeline)),
    )


def _guard(evidence: Evidence) -> tuple[ObjectiveResult, ...]:
    """``abort_when`` as a missed objective where it tripped; nothing where it did not."""
    guard = evidence.experiment.abort_when
    tripped = evidence.timeline.first("guard_tripped")
    if guard is None or tripped is None:
        return ()
    result = judge_objective(guard, evidence)
    reason = f"the guard tripped at {tripped.t:.3f} s: the fault was undone at once"
    update = {"state": State.MISSED, "guard": True, "reason": reason}
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
    phase, first = evidence.phases.get("fault"), _first_outage(evidence)
    if phase is None or first is None:
        return None
    seen = evidence.counts(first.of, deadline_s=first.deadline_s, phase=phase)
    return 0.0 if seen.good else None


def _first_outage(evidence: Evidence) -> Outage | None:
    asked = (item for item in evidence.experiment.objectives if isinstance(item, Outage))
    return next(asked, None)


def _period_s(evidence: Evidence) -> float:
    first = _first_outage(evidence)
    return 0.0 if first is None else evidence.period_s(first.of)


def _noted(timeline: Timeline) -> tuple[str, ...]:
    return tuple(str(event.data.get("text", "")) for event in timeline.of_kind("data_note"))
