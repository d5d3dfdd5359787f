"""A run that was blind, cut short or never begun answers nothing, whatever its samples say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from quorate.harness.judge import judge
from quorate.harness.model.experiment import Experiment
from quorate.harness.model.timeline import CONTROL_PROBE, Event, SampleSeries, Timeline
from quorate.harness.model.verdict import State, Verdict

MakeExperiment = Callable[..., Experiment]
MakeRun = Callable[..., Timeline]
MakeSeries = Callable[..., SampleSeries]
LONG_S = 1000
"""A fault phase so long that five seconds are half a per cent of it."""


def reason(verdict: Verdict, gate: str) -> str:
    """Why that gate, and no other, does not hold."""
    assert [one.name for one in verdict.gates if not one.ok] == [gate]
    return next(one.reason for one in verdict.gates if one.name == gate)


def long_run(make_run: MakeRun, make_series: MakeSeries, spelled: str) -> Timeline:
    """The fault phase lasts LONG_S; ``spelled`` begins 100 s into it."""
    samples = ("." * 1300 + spelled).ljust((30 + LONG_S + 20) * 10, ".")
    run = make_run()
    later = [
        replace(event, t=event.t + LONG_S - 10) if event.t >= 40 else event for event in run.events
    ]
    control = make_series("." * len(samples), probe=CONTROL_PROBE)
    return replace(
        run, events=tuple(later), series={"api": make_series(samples), CONTROL_PROBE: control}
    )


def test_a_prober_paused_for_five_seconds_is_blind(
    make_experiment: MakeExperiment, make_run: MakeRun, make_series: MakeSeries
) -> None:
    good = long_run(make_run, make_series, "." * 50)
    assert judge(make_experiment(), good).verdict is State.MET
    paused = long_run(make_run, make_series, "?" * 50)
    generous = make_experiment(
        objectives=[{"indicator": "longest_outage_s", "of": "api", "at_most": 60}]
    )
    verdict = judge(generous, paused)
    assert verdict.objectives[0].state is State.MET, "no outage of 60 s fits into five"
    assert "api in fault: 50 of 10000 unknown" in reason(verdict, "prober")
    assert verdict.verdict is State.INCONCLUSIVE


@pytest.mark.parametrize(
    ("spelled", "blind"),
    [
        ("?", False),
        ("??", True),  # two of a hundred
        ("?" + "." * 98 + "?", True),
        ("?" + "." * 99 + "?", False),  # not within ten seconds
        ("  ", True),  # lost lines are as unknown
    ],
)
def test_more_than_one_per_cent_of_ten_seconds(
    make_experiment: MakeExperiment,
    make_run: MakeRun,
    make_series: MakeSeries,
    spelled: str,
    blind: bool,
) -> None:
    verdict = judge(make_experiment(), long_run(make_run, make_series, spelled))
    assert (verdict.verdict is State.INCONCLUSIVE) is blind
    if blind:
        assert "api in fault" in reason(verdict, "prober")


@pytest.mark.parametrize("lost", ["?", "!", "~", " "])
def test_a_control_probe_that_gets_no_answer_in_time_says_the_same(
    make_experiment: MakeExperiment, make_run: MakeRun, make_series: MakeSeries, lost: str
) -> None:
    run = make_run()
    control = make_series("." * 350 + lost * 5 + "." * 95, probe=CONTROL_PROBE)
    verdict = judge(make_experiment(), replace(run, series={**run.series, CONTROL_PROBE: control}))
    assert "control probe in fault: 5 of 100 lost" in reason(verdict, "prober")
    assert verdict.verdict is State.INCONCLUSIVE


def test_a_sampler_that_did_not_end_in_order_may_have_lost_its_last_lines(
    make_experiment: MakeExperiment, make_run: MakeRun
) -> None:
    said = {"complete": False, "problem": "the sampler said nothing for 10 s"}
    verdict = judge(make_experiment(), replace(make_run(), sampler=said))
    assert "said nothing for 10 s" in reason(verdict, "complete")
    assert judge(make_experiment(), replace(make_run(), sampler={"complete": True})).verdict is (
        State.MET
    )


CUTS: Sequence[tuple[str, Sequence[str], Sequence[Event], str]] = [
    ("killed", ["run_closed", "sampling_stopped"], [], "never closed"),
    ("torn", ["run_closed"], [], "never closed"),
    ("lost", ["sampling_stopped"], [], "never stopped in order"),
    (
        "interrupted",
        ["run_closed"],
        [Event(45.0, "run_closed", {"reason": "interrupted"})],
        "ended early: interrupted",
    ),
]


@pytest.mark.parametrize(
    ("without", "events", "said"), [cut[1:] for cut in CUTS], ids=[cut[0] for cut in CUTS]
)
def test_a_run_cut_short_is_named_and_never_met(
    make_experiment: MakeExperiment,
    make_run: MakeRun,
    without: Sequence[str],
    events: Sequence[Event],
    said: str,
) -> None:
    verdict = judge(make_experiment(), make_run(without=without, events=events))
    assert said in reason(verdict, "complete")
    assert verdict.verdict is State.INCONCLUSIVE
    # What is surely over the bound is missed all the same; what may have ended is not.
    lasting = make_run("." * 60 + "!" * 90, without=without, events=events)
    assert judge(make_experiment(), lasting).verdict is State.MISSED
    short = make_run("." * 120 + "!" * 30, without=[*without, "undo_started"], events=events)
    verdict = judge(make_experiment(), short)
    assert verdict.objectives[0].state is State.INCONCLUSIVE
    assert "cut short while the outage lasted" in verdict.objectives[0].reason


def test_samples_that_end_before_the_run_are_not_good(
    make_experiment: MakeExperiment, make_run: MakeRun, make_series: MakeSeries
) -> None:
    """The sampler died five seconds into the fault; until then all was well."""
    run = make_run()
    died = {**run.series, "api": make_series("." * 350)}
    verdict = judge(make_experiment(), replace(run, series=died))
    assert verdict.objectives[0].state is State.INCONCLUSIVE
    assert verdict.verdict is State.INCONCLUSIVE


@pytest.mark.parametrize("why", ["refused", "failed", "interrupted"])
def test_a_run_that_ended_before_its_fault_answers_nothing(
    make_experiment: MakeExperiment, make_run: MakeRun, why: str
) -> None:
    bad = {"indicator": "bad_samples", "of": "api", "at_most": 0, "during": "baseline"}
    gone = ("run_closed", "injection_started", "injection_proved", "undo_started", "undo_done")
    closed = Event(31.0, "run_closed", {"reason": why})
    run = make_run(baseline="!" * 300, events=[closed], without=gone)
    verdict = judge(make_experiment(objectives=[bad]), run)
    assert "before anything was injected" in verdict.objectives[0].reason
    assert verdict.verdict is State.INCONCLUSIVE


def test_bounds_of_another_phase_do_not_need_the_fault(
    make_experiment: MakeExperiment, make_run: MakeRun
) -> None:
    """The return leg and full redundancy are objectives of their own, each with its state."""
    objectives: list[dict[str, Any]] = [
        {"indicator": "longest_outage_s", "of": "api", "at_most": 1, "during": "fault"},
        {"indicator": "longest_outage_s", "of": "api", "at_most": 1, "during": "return"},
        {"indicator": "time_to_whole_s", "since": "undo", "at_most": 2},
        {"indicator": "time_to_whole_s", "since": "injection", "at_most": 15},
    ]
    run = make_run("." * 110 + "!" * 15 + "." * 25)
    results = judge(make_experiment(objectives=objectives), run).objectives
    assert [result.value for result in results] == [0.0, 1.5, 3.0, 13.0]
    states = [State.MET, State.MISSED, State.MISSED, State.MET]
    assert [result.state for result in results] == states


@pytest.mark.parametrize(
    ("told", "state"),
    [
        ([{"ok": True, "evidence": "the nodes report v1.37.2"}], State.MET),
        ([{"ok": False, "evidence": "no upgrade was seen"}], State.INCONCLUSIVE),
        ([], State.INCONCLUSIVE),
        ([{"ok": True}, {"ok": False, "evidence": "no upgrade was seen"}], State.INCONCLUSIVE),
    ],
)
def test_an_upgrade_that_did_not_take_place_is_never_met(
    make_experiment: MakeExperiment,
    make_run: MakeRun,
    told: list[dict[str, object]],
    state: State,
) -> None:
    watching = make_experiment(method=("watch",))
    (step,) = watching.method
    awaits = step.model_copy(update={"arguments": {"watch_until": "upgraded", "at_most_s": 60}})
    run = make_run()
    kept = [one for one in run.events if not one.kind.startswith(("injection", "undo"))]
    window = [Event(30.0, "watch_started"), Event(39.0, "watch_ended")]
    proofs = [Event(39.5, "upgrade_proved", data) for data in told]
    events = sorted([*kept, *window, *proofs], key=lambda event: event.t)
    without = replace(run, events=tuple(events))
    assert judge(watching, without).verdict is State.MET, "of an experiment that awaits none"
    verdict = judge(watching.model_copy(update={"method": (awaits,)}), without)
    assert verdict.verdict is state
    if state is not State.MET:
        wanted = "no upgrade was seen" if told else "nobody looked whether there was one"
        assert reason(verdict, "upgrade") == wanted
