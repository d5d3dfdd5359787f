"""What was seen from a node counts as far as its sampler and its clock are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from quorate.harness.judge import judge
from quorate.harness.model.experiment import Experiment
from quorate.harness.model.timeline import Event, SampleSeries, Timeline, control_of
from quorate.harness.model.verdict import State, Verdict

MakeExperiment = Callable[..., Experiment]
MakeRun = Callable[..., Timeline]
MakeSeries = Callable[..., SampleSeries]

WORD = "node:surviving-worker"
CONTROL = control_of(WORD)
PROBE = {"probe": "api_quorum_read", "path": "vip", "connection": "new", "rate_hz": 10}
PROBES = {"api": PROBE, "far": {**PROBE, "from": WORD}}
OBJECTIVES = [{"indicator": "longest_outage_s", "of": "far", "at_most": 5}]


@pytest.fixture
def judged(
    make_experiment: MakeExperiment, make_run: MakeRun, make_series: MakeSeries
) -> Callable[..., Verdict]:
    """A run with a probe on w1; ``far`` and ``control`` spell what its sampler wrote."""

    def make(
        far: str = "." * 450,
        *,
        control: str = "." * 450,
        told: dict[str, Any] | None = None,
        objectives: list[dict[str, Any]] = OBJECTIVES,
    ) -> Verdict:
        clock = {"vantage": WORD, "node": "w1", "uncertainty_s": 0.0, **(told or {})}
        run = make_run(events=[Event(45.0, "vantage_clock", clock)])
        series = {
            "far": make_series(far, probe="far"),
            CONTROL: make_series(control, probe=CONTROL),
        }
        run = replace(run, series={**run.series, **series})
        return judge(make_experiment(probes=PROBES, objectives=objectives), run)

    return make


def prober(verdict: Verdict) -> str:
    return next(gate.reason for gate in verdict.gates if gate.name == "prober")


def test_a_node_that_saw_all_is_as_good_a_witness(judged: Callable[..., Verdict]) -> None:
    assert judged().verdict is State.MET
    seen = judged("." * 310 + "!" * 60 + "." * 80)
    assert seen.verdict is State.MISSED
    assert seen.objectives[0].value == pytest.approx(6.0)


def test_what_died_with_the_node_is_named_and_no_pass(judged: Callable[..., Verdict]) -> None:
    gone = judged("." * 350, control="." * 350, told={"problem": "its buffer is gone"})
    assert gone.verdict is State.INCONCLUSIVE
    assert f"far from {WORD}, w1; its buffer is gone in fault: 50 of 100 unknown" in prober(gone)


@pytest.mark.parametrize("lost", ["?", "!", " "])
def test_a_blind_vantage_is_no_pass_although_the_other_one_saw_all(
    judged: Callable[..., Verdict], lost: str
) -> None:
    blind = judged(control="." * 350 + lost * 5 + "." * 95)
    assert blind.verdict is State.INCONCLUSIVE
    assert f"control probe ({WORD}, w1) in fault: 5 of 100 lost" in prober(blind)


def test_a_vantage_that_no_bound_is_about_does_not_spoil_the_run(
    judged: Callable[..., Verdict],
) -> None:
    other = [{"indicator": "longest_outage_s", "of": "api", "at_most": 5}]
    gone = judged("." * 350, control="." * 350, objectives=other)
    assert gone.verdict is State.MET


def test_doubt_about_its_clock_widens_what_it_measured(judged: Callable[..., Verdict]) -> None:
    outage = "." * 310 + "!" * 48 + "." * 92
    sure, doubtful = judged(outage), judged(outage, told={"uncertainty_s": 0.25})
    assert sure.objectives[0].state is State.MET
    assert doubtful.objectives[0].low == pytest.approx((sure.objectives[0].low or 0) - 0.25)
    assert doubtful.objectives[0].high == pytest.approx((sure.objectives[0].high or 0) + 0.25)
    assert doubtful.objectives[0].state is State.INCONCLUSIVE
    assert "w1: clock known to 2.5e+02 ms" in prober(doubtful)


def test_it_is_not_missed_by_what_only_the_clock_may_have_added(
    judged: Callable[..., Verdict],
) -> None:
    outage = "." * 310 + "!" * 52 + "." * 88
    assert judged(outage).objectives[0].state is State.MISSED
    assert judged(outage, told={"uncertainty_s": 0.4}).objectives[0].state is State.INCONCLUSIVE
