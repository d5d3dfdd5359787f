"""not_whole_s: how much of a phase something was missing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from quorate.harness.judge import judge
from quorate.harness.model.experiment import Experiment
from quorate.harness.model.timeline import Event, Timeline
from quorate.harness.model.verdict import ObjectiveResult, State

MakeExperiment = Callable[..., Experiment]
MakeRun = Callable[..., Timeline]


def seen(
    make_experiment: MakeExperiment,
    make_run: MakeRun,
    words: Sequence[tuple[float, bool]],
    *,
    at_most: float = 10.0,
) -> ObjectiveResult:
    """What becomes of these words about wholeness; the fault phase begins at its injection."""
    experiment = make_experiment(objectives=[{"indicator": "not_whole_s", "at_most": at_most}])
    run = make_run()
    others = [event for event in run.events if event.kind != "whole"]
    mine = [Event(t, "whole", {"whole": whole, "missing": []}) for t, whole in words]
    events = tuple(sorted([*others, *mine], key=lambda event: event.t))
    return judge(experiment, replace(run, events=events)).objectives[0]


@pytest.fixture
def fault(make_experiment: MakeExperiment, make_run: MakeRun) -> tuple[float, float]:
    """Start and end of the fault phase of such a run."""
    run = make_run()
    injected, undone = run.first("injection_started"), run.first("undo_started")
    assert injected is not None
    assert undone is not None
    return injected.t, undone.t


def test_stretches_are_added_up(
    make_experiment: MakeExperiment, make_run: MakeRun, fault: tuple[float, float]
) -> None:
    start, end = fault
    words = [
        (0.0, True),
        (start + 1, False),
        (start + 2, True),
        (start + 3, False),
        (end + 9, True),
    ]
    result = seen(make_experiment, make_run, words)
    assert result.value == pytest.approx(1 + (end - start - 3))
    assert result.low is not None
    assert result.low < 8.0


def test_whole_all_the_time(make_experiment: MakeExperiment, make_run: MakeRun) -> None:
    result = seen(make_experiment, make_run, [(0.0, True)])
    assert (result.value, result.state) == (0.0, State.MET)


def test_longer_than_allowed_is_missed(
    make_experiment: MakeExperiment, make_run: MakeRun, fault: tuple[float, float]
) -> None:
    start, _ = fault
    result = seen(make_experiment, make_run, [(0.0, True), (start, False)], at_most=0.5)
    assert result.state is State.MISSED


def test_near_the_bound_nobody_can_tell(
    make_experiment: MakeExperiment, make_run: MakeRun, fault: tuple[float, float]
) -> None:
    start, _ = fault
    words = [(0.0, True), (start + 0.5, False), (start + 1.5, True)]
    assert seen(make_experiment, make_run, words, at_most=1.1).state is State.INCONCLUSIVE


def test_no_word_before_the_phase_is_no_answer(
    make_experiment: MakeExperiment, make_run: MakeRun, fault: tuple[float, float]
) -> None:
    result = seen(make_experiment, make_run, [(fault[0] + 1, True)])
    assert result.state is State.INCONCLUSIVE
