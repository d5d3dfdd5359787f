"""time_to_drained_s: from the act to an empty node, and a drain that got stuck is MISSED."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from quorate.harness.errors import SpecError
from quorate.harness.judge import judge
from quorate.harness.model.experiment import Experiment
from quorate.harness.model.timeline import Event, Timeline
from quorate.harness.model.verdict import ObjectiveResult, State

MakeExperiment = Callable[..., Experiment]
MakeRun = Callable[..., Timeline]
KEPT = "shop/a is kept by the PodDisruptionBudget shop/never"


def drained(
    make_experiment: MakeExperiment, make_run: MakeRun, *, at_most: float = 10.0, **facts: Any
) -> ObjectiveResult:
    experiment = make_experiment(
        method=["worker_drain"], objectives=[{"indicator": "time_to_drained_s", "at_most": at_most}]
    )
    proved = {"injection": "i1", "ok": True, "evidence": "cordoned", **facts}
    events = [
        Event(30.0, "injection_started", {"injection": "i1", "fault": "worker_drain"}),
        Event(36.0, "injection_proved", proved),
    ]
    without = ["injection_started", "injection_proved"]
    return judge(experiment, make_run(events=events, without=without)).objectives[0]


def test_the_time_is_from_the_act_to_the_empty_node(
    make_experiment: MakeExperiment, make_run: MakeRun
) -> None:
    result = drained(make_experiment, make_run, drained=True, left=[])
    assert (result.value, result.state) == (6.0, State.MET)
    assert result.low is not None
    assert result.low < 6.0
    assert result.during == "since injection"


def test_later_than_allowed_is_missed(make_experiment: MakeExperiment, make_run: MakeRun) -> None:
    result = drained(make_experiment, make_run, at_most=5.0, drained=True, left=[])
    assert result.state is State.MISSED


def test_a_stuck_drain_is_missed_and_says_what_kept_it(
    make_experiment: MakeExperiment, make_run: MakeRun
) -> None:
    result = drained(make_experiment, make_run, drained=False, left=[KEPT])
    assert (result.state, result.censored) == (State.MISSED, True)
    assert KEPT in result.reason


def test_without_a_word_about_the_drain_nothing_is_answered(
    make_experiment: MakeExperiment, make_run: MakeRun
) -> None:
    assert drained(make_experiment, make_run).state is State.INCONCLUSIVE


def test_it_is_only_asked_of_a_drain(make_experiment: MakeExperiment) -> None:
    with pytest.raises(SpecError, match="worker_drain"):
        make_experiment(objectives=[{"indicator": "time_to_drained_s", "at_most": 5}])
