"""What clients saw, deadline by deadline: an outage is one only to those who wait no longer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from quorate.harness.judge import judge
from quorate.harness.model.experiment import Experiment
from quorate.harness.model.timeline import Timeline
from quorate.harness.model.verdict import Rung
from quorate.reports.text import render_text

MakeExperiment = Callable[..., Experiment]
MakeRun = Callable[..., Timeline]
PATIENT = {"indicator": "bad_samples", "of": "api", "deadline_s": 3, "at_most": 0}


def rungs(experiment: Experiment, run: Timeline) -> dict[float, Rung]:
    return {rung.deadline_s: rung for rung in judge(experiment, run).clients}


def test_slow_answers_are_bad_up_to_their_time_and_failures_for_ever(
    make_experiment: MakeExperiment, make_run: MakeRun
) -> None:
    seen = rungs(make_experiment(objectives=[PATIENT]), make_run("..!!~~~~...".ljust(150, ".")))
    assert list(seen) == [0.25, 0.5, 1.0, 2.0, 3, 5.0], "the ladder, and what is judged"
    quick, patient = seen[1.0], seen[2.0]
    assert (quick.failed, quick.slow, quick.unknown, quick.samples) == (2, 4, 0, 100)
    assert (quick.outages, quick.longest_s, quick.weighted_s) == (1, 0.6, 0.6)
    assert (patient.failed, patient.slow, patient.longest_s) == (2, 0, 0.2)


def test_deadlines_beyond_what_was_waited_for_are_not_told(
    make_experiment: MakeExperiment, make_run: MakeRun
) -> None:
    assert max(rungs(make_experiment(), make_run())) == 5.0


def test_without_a_fault_there_is_nothing_to_tell(
    make_experiment: MakeExperiment, make_run: MakeRun
) -> None:
    assert judge(make_experiment(), make_run(without=["injection_started"])).clients == ()


def test_the_report_has_one_line_for_deadlines_that_agree(
    make_experiment: MakeExperiment, make_run: MakeRun
) -> None:
    run = make_run("..!!~~~~....?".ljust(150, "."))
    text = render_text(judge(make_experiment(), run))
    assert (
        "api at a deadline of 0.25 to 1 s: of 100 samples 2 failed, 4 slow, 1 unknown; "
        "weighted 0.60 s, in 1 outage: longest 0.60 s, in all 0.60 s\n"
        "  api at a deadline of 2 to 5 s: of 100 samples 2 failed, 1 unknown; "
    ) in text
    endless = replace(run, series={**run.series, "api": make_run("!" * 150).series["api"]})
    assert "in 1 outage and the last not over" in render_text(judge(make_experiment(), endless))
    good = render_text(judge(make_experiment(), make_run()))
    assert "api at a deadline of 0.25 to 5 s: all 100 samples good" in good
