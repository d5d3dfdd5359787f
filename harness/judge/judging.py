"""The judge: all objectives, all gates, the story, the predictions, merged into one verdict."""

from __future__ import annotations

from quorate.harness.judge.clients import ladder
from quorate.harness.judge.conformance import conformance
from quorate.harness.judge.data_safety import data_safety
from quorate.harness.judge.evidence import Evidence
from quorate.harness.judge.gates import gates
from quorate.harness.judge.objectives import judge_objective
from quorate.harness.judge.rescheduling import reschedulings
from quorate.harness.judge.story import tell
from quorate.harness.model.experiment import Experiment
from quorate.harness.model.timeline import Timeline
from quorate.harness.model.verdict import (
    Guard,
    ObjectiveResult,
    State,
    Verdict,
    merge,
)


def judge(experiment: Experiment, timeline: Timeline) -> Verdict:
    """The verdict on a run; the same timeline gives the same bytes, always.

    MISSED when data was not safe, an objective is missed or the guard tripped; INCONCLUSIVE when a
    gate fails, an objective or a check of data safety is, as each of a run is that ended before its
    faults; else MET.
    """
    evidence = Evidence.of(experiment, timeline)
    objectives = tuple(
        _bounded(judge_objective(objective, evidence), experiment.bounds(index))
        for index, objective in enumerate(experiment.objectives)
    )
    objectives += _tripped(evidence)
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
        arrangements=tuple(map(str, experiment.given)),
        objectives=objectives,
        guard=_guard(evidence),
        clients=ladder(evidence),
        gates=held,
        data_safety=safety,
        story=story,
        predicted=conformance(evidence, objectives=objectives, story=story),
        rescheduling=reschedulings(evidence),
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


def _noted(timeline: Timeline) -> tuple[str, ...]:
    return tuple(str(event.data.get("text", "")) for event in timeline.of_kind("data_note"))
