"""How long the steps of an experiment can last, from its own numbers; pure. All in seconds."""

from __future__ import annotations

from quorate.harness.faults.catalogue import FAULTS, parameters_of
from quorate.harness.model.experiment import Activity, Experiment
from quorate.harness.run import pace

STEP_S = 30.0
"""Beside proof and watch a step asks over ssh, arms switches, acts; also for one foreign step."""
CLOSE_S = 300.0
"""The last undos, with their confirmations, the end of sampling, and reading the ledger back."""


def watched_s(experiment: Experiment, *, since: int) -> float:
    """How long a fault put on by our `since`-th step (from 0) may stay on until it is undone.

    The proofs and watches from that step to the next undo, or to the method's end; each later step
    with what it may take beside. (That of the first is the switch's margin.)
    """
    total, begun = 0.0, 0
    for step in experiment.method:
        begun += step.kind != "foreign"
        if begun <= since:
            continue
        if step.kind == "undo":
            break
        total += step_s(step) + (STEP_S if total else 0.0)
    return total


def worst_case_s(experiment: Experiment) -> float:
    """How long a run can last from the first thing that it changes to the last that it undoes."""
    once_s = experiment.baseline_s + pace.PHASE_S + pace.BASELINE_LONGER_S
    baseline_s = pace.BASELINE_TRIES * once_s
    steps_s = sum(STEP_S + step_s(step) for step in experiment.method)
    return baseline_s + steps_s + CLOSE_S


def step_s(step: Activity) -> float:
    """What one step says of its own duration, defaults filled in; the proof's limit included.

    `deadline_s` is how long an act may take that waits for the cluster (an eviction).
    """
    if step.kind == "foreign":
        return 0.0
    if step.awaits_upgrade:
        return float(str(step.arguments["at_most_s"])) + pace.AFTER_WORK_S
    given = {one.name: one.default for one in parameters_of(step.func)} | dict(step.arguments)
    waits_s = float(str(given["for_s" if step.kind == "watch" else "at_most_s"]))
    if step.kind != "fault":
        return waits_s
    return waits_s + FAULTS[step.func].proof_timeout_s + float(str(given.get("deadline_s", 0.0)))
