from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from quorate.harness.judge import judge
from quorate.harness.model.experiment import Experiment
from quorate.harness.model.timeline import Event, Timeline
from quorate.harness.model.verdict import ObjectiveResult, State

MakeExperiment = Callable[..., Experiment]
MakeRun = Callable[..., Timeline]


def first(experiment: Experiment, timeline: Timeline) -> ObjectiveResult:
    return judge(experiment, timeline).objectives[0]


def outage(at_most: float = 5.0, **more: Any) -> dict[str, Any]:
    return {"indicator": "longest_outage_s", "of": "api", "at_most": at_most, **more}


def test_outage_has_its_value_its_range_and_its_place(
    make_experiment: MakeExperiment, make_run: MakeRun
) -> None:
    result = first(make_experiment(), make_run("...!!!!!" + "." * 142))
    # ± one period, and the 0.01 s that a request took at either edge.
    assert (result.value, result.low, result.high) == (0.5, 0.39, 0.61)
    assert result.at == (30.3, 30.8)
    assert result.state is State.MET


@pytest.mark.parametrize(
    ("bad", "state"), [(48, State.MET), (49, State.INCONCLUSIVE), (50, State.MISSED)]
)
def test_the_bound_is_held_against_the_longest_possible_outage(
    make_experiment: MakeExperiment, make_run: MakeRun, bad: int, state: State
) -> None:
    result = first(make_experiment(), make_run("!" * bad + "." * (150 - bad)))
    assert result.state is state
    assert ("first good answer" in result.reason) == (state is State.INCONCLUSIVE)


@pytest.mark.parametrize(
    ("spelled", "value"),
    [
        ("!" * 45 + "?" * 10, 5.5),  # unknown does not end an outage
        ("?" * 10 + "!" * 45, 4.5),  # nor does it begin one
        ("!" * 20 + "?" * 20 + "!" * 20, 6.0),
    ],
)
def test_unknown_samples_alone_never_decide(
    make_experiment: MakeExperiment, make_run: MakeRun, spelled: str, value: float
) -> None:
    result = first(make_experiment(), make_run(spelled.ljust(150, ".")))
    assert (result.value, result.state) == (value, State.INCONCLUSIVE)
    assert result.high is not None
    assert result.high > 5
    known = first(make_experiment(), make_run(spelled.replace("?", "!").ljust(150, ".")))
    assert known.state is State.MISSED


def test_outage_that_does_not_end_is_missed_however_short(
    make_experiment: MakeExperiment, make_run: MakeRun
) -> None:
    experiment = make_experiment(objectives=[outage(60.0)])
    result = first(experiment, make_run("." * 97 + "!" * 53))
    assert (result.censored, result.high, result.state) == (True, None, State.MISSED)


@pytest.mark.parametrize("spelled", ["." * 97 + "!" * 3, "." * 97 + "!!!" + "?" * 50])
def test_an_outage_whose_end_nobody_saw_is_no_answer(
    make_experiment: MakeExperiment, make_run: MakeRun, spelled: str
) -> None:
    """Whether samples were lost or are unknown: it may have ended at once."""
    result = first(make_experiment(objectives=[outage(60.0)]), make_run(spelled))
    assert (result.censored, result.state) == (True, State.INCONCLUSIVE)


def test_an_unknown_sample_at_the_end_may_begin_an_outage(
    make_experiment: MakeExperiment, make_run: MakeRun
) -> None:
    experiment = make_experiment(objectives=[outage(during="return")])
    assert first(experiment, make_run("." * 149 + "?")).state is State.INCONCLUSIVE
    assert first(experiment, make_run("." * 145 + "?....")).state is State.MET


def test_outage_that_starts_in_the_fault_phase_counts_whole(
    make_experiment: MakeExperiment, make_run: MakeRun
) -> None:
    result = first(make_experiment(), make_run("." * 90 + "!" * 30 + "." * 30))
    assert result.value == 3.0
    both = make_experiment(objectives=[outage(during="return")])
    rest = first(both, make_run("." * 90 + "!" * 30 + "." * 30))
    assert (rest.value, rest.at) == (2.0, (40.0, 42.0))


def test_a_request_under_way_when_the_fault_struck_belongs_to_the_fault(
    make_experiment: MakeExperiment, make_run: MakeRun
) -> None:
    run = make_run(without=("baseline_ended",), baseline="." * 295 + "!!!!!")
    events = sorted([*run.events, Event(29.4, "baseline_ended")], key=lambda event: event.t)
    run = Timeline(run_id=run.run_id, events=tuple(events), series=run.series)
    bad = {"indicator": "bad_samples", "of": "api", "at_most": 0}
    experiment = make_experiment(
        objectives=[outage(), bad | {"during": "fault"}, bad | {"during": "baseline"}]
    )
    results = judge(experiment, run).objectives
    assert [result.value for result in results] == [0.5, 5.0, 0.0]


@pytest.mark.parametrize("at_most", [1, 0])
def test_a_handful_of_samples_is_never_met(
    make_experiment: MakeExperiment, make_run: MakeRun, at_most: int
) -> None:
    """Nine samples of a return leg that lasted 0.9 s, one of them bad."""
    bad = {"indicator": "bad_samples", "of": "api", "at_most": at_most, "during": "return"}
    short = [Event(40.9, "return_ended", {"reached": True})]
    run = make_run("." * 105 + "!" + "." * 44, events=short, without=["return_ended"])
    result = first(make_experiment(objectives=[bad]), run)
    assert result.value == 1
    assert result.state is (State.INCONCLUSIVE if at_most else State.MISSED)
    assert ("too few samples" in result.reason) is bool(at_most)


def test_bad_samples_counts_every_probe_and_doubts_the_unknown(
    make_experiment: MakeExperiment, make_run: MakeRun
) -> None:
    bad = {"indicator": "bad_samples", "of": ["api"], "at_most": 1, "during": "fault"}
    experiment = make_experiment(objectives=[bad])
    assert first(experiment, make_run("!" + "." * 149)).state is State.MET
    doubtful = first(experiment, make_run("!?" + "." * 148))
    assert (doubtful.value, doubtful.high) == (1.0, 2.0)
    assert doubtful.state is State.INCONCLUSIVE
    assert first(experiment, make_run("!?!" + "." * 147)).state is State.MISSED


def test_total_outage_adds_intervals_and_their_uncertainty(
    make_experiment: MakeExperiment, make_run: MakeRun
) -> None:
    total = {"indicator": "total_outage_s", "of": "api", "at_most": 1}
    run = make_run("!!...." * 3 + "." * 132)
    result = first(make_experiment(objectives=[total]), run)
    assert (result.value, result.low, result.high) == (0.6, 0.27, 0.93)
    assert result.state is State.MET


def test_no_data_is_never_a_pass(make_experiment: MakeExperiment, make_run: MakeRun) -> None:
    assert first(make_experiment(), make_run("")).state is State.INCONCLUSIVE
    assert first(make_experiment(), make_run("?" * 150)).state is State.INCONCLUSIVE
    no_fault = make_run(without=("injection_started",))
    assert first(make_experiment(), no_fault).state is State.INCONCLUSIVE
    silent = Timeline(run_id="r", events=make_run().events, series={})
    assert first(make_experiment(), silent).state is State.INCONCLUSIVE


def whole(at_most: float = 120.0) -> dict[str, Any]:
    return {"indicator": "time_to_whole_s", "since": "undo", "at_most": at_most}


def test_time_to_whole_counts_from_the_undo_to_the_last_return(
    make_experiment: MakeExperiment, make_run: MakeRun
) -> None:
    experiment = make_experiment(objectives=[whole(3.5)])
    result = first(experiment, make_run())
    assert (result.value, result.low, result.high) == (3.0, 2.5, 3.0)
    assert result.state is State.MET
    flapped = [
        Event(43.5, "whole", {"whole": False, "missing": ["etcd cp1"]}),
        Event(44.0, "whole", {"whole": True, "missing": []}),
    ]
    assert first(experiment, make_run(events=flapped)).state is State.MISSED


def test_time_to_whole_is_censored_when_something_is_still_missing(
    make_experiment: MakeExperiment, make_run: MakeRun
) -> None:
    lost = [Event(44.0, "whole", {"whole": False, "missing": ["etcd cp1"]})]
    result = first(make_experiment(objectives=[whole()]), make_run(events=lost))
    assert (result.value, result.censored, result.state) == (5.0, True, State.MISSED)
    assert "etcd cp1" in result.reason


def test_silence_about_the_components_is_no_wholeness(
    make_experiment: MakeExperiment, make_run: MakeRun
) -> None:
    experiment = make_experiment(objectives=[whole()])
    early = [Event(31.0, "whole", {"whole": True, "missing": []})]
    confirmed = first(experiment, make_run(events=early, without=("whole",)))
    assert (confirmed.value, confirmed.state) == (0.0, State.MET)
    unseen = first(experiment, make_run(events=early, without=("whole", "return_ended")))
    assert unseen.state is State.INCONCLUSIVE
    assert first(experiment, make_run(without=("undo_started",))).state is State.INCONCLUSIVE


def test_a_watch_is_the_fault_phase_of_a_method_that_breaks_nothing(
    make_experiment: MakeExperiment, make_run: MakeRun
) -> None:
    gone = ("injection_started", "injection_proved", "undo_started", "undo_done", "return_ended")
    window = [Event(30.0, "watch_started"), Event(45.0, "watch_ended", {"reached": True})]
    experiment = make_experiment(method=["watch"])
    verdict = judge(experiment, make_run(events=window, without=gone))
    assert verdict.objectives[0].value == 0.0
    assert verdict.verdict is State.MET
    assert "no fault is declared" in {gate.name: gate.reason for gate in verdict.gates}["fault"]


def test_outages_are_counted_and_unknown_samples_may_hide_more(
    make_experiment: MakeExperiment, make_run: MakeRun
) -> None:
    def counted(spelled: str, at_most: int) -> ObjectiveResult:
        asked = {"indicator": "outages", "of": "api", "at_most": at_most}
        return first(make_experiment(objectives=[asked]), make_run(spelled.ljust(150, ".")))

    two = counted("!!...!..!...", 2)  # two good samples between two bad ones make no second
    assert (two.value, two.low, two.high, two.unit) == (2, 2, 2, "outages")
    assert two.state is State.MET
    assert counted("!!...!..!...", 1).state is State.MISSED
    hidden = counted("!!....?...", 1)
    assert (hidden.value, hidden.high, hidden.state) == (1, 2, State.INCONCLUSIVE)


def test_recovery_time_of_a_cut_run_is_missed_only_beyond_its_bound(
    make_experiment: MakeExperiment, make_run: MakeRun
) -> None:
    lost = [Event(44.0, "whole", {"whole": False, "missing": ["etcd cp1"]})]
    run = make_run(events=lost, without=("run_closed",))
    result = first(make_experiment(objectives=[whole(120)]), run)
    assert (result.censored, result.state) == (True, State.INCONCLUSIVE)
    assert "cut short" in result.reason
    assert first(make_experiment(objectives=[whole(4)]), run).state is State.MISSED
