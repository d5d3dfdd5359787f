"""The judge: all objectives, all gates, the story, the predictions, merged into one verdict."""

from __future__ import annotations

from quorate.harness.judge.conformance import conformance
from quorate.harness.judge.evidence import Evidence
from quorate.harness.judge.gates import gates
from quorate.harness.judge.objectives import judge_objective
from quorate.harness.judge.story import tell
from quorate.harness.model.experiment import Experiment
from quorate.harness.model.timeline import Timeline
from quorate.harness.model.verdict import (
    ObjectiveResult,
    State,
    Verdict,
    merge,
)


def judge(experiment: Experiment, timeline: Timeline) -> Verdict:
    """The verdict on a run; the same timeline gives the same bytes, always.

    MISSED when an objective is missed or the guard tripped; INCONCLUSIVE when a gate fails, an
    objective is, or nothing was injected although the run was refused; else MET.
    """
    evidence = Evidence.of(experiment, timeline)
    objectives = tuple(judge_objective(item, evidence) for item in experiment.objectives)
    objectives += _guard(evidence)
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
        gates=held,
        story=story,
        predicted=conformance(evidence, objectives=objectives, story=story),
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


def _noted(timeline: Timeline) -> tuple[str, ...]:
    return tuple(str(event.data.get("text", "")) for event in timeline.of_kind("data_note"))
