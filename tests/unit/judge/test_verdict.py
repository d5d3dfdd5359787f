"""Gates, guard, story, predictions, and the merge of all of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from quorate.harness.judge import judge
from quorate.harness.model.experiment import Experiment
from quorate.harness.model.timeline import CONTROL_PROBE, Event, SampleSeries, Timeline
from quorate.harness.model.verdict import State, Verdict, merge

MakeExperiment = Callable[..., Experiment]
MakeRun = Callable[..., Timeline]
MakeSeries = Callable[..., SampleSeries]


def broken_gates(verdict: Verdict) -> list[str]:
    return [gate.name for gate in verdict.gates if not gate.ok]


@pytest.mark.parametrize(
    ("states", "merged"),
    [
        ([], State.INCONCLUSIVE),
        ([State.MET], State.MET),
        ([State.MET, State.INCONCLUSIVE], State.INCONCLUSIVE),
        ([State.INCONCLUSIVE, State.MISSED, State.MET], State.MISSED),
    ],
)
def test_merge_order(states: list[State], merged: State) -> None:
    assert merge(states) is merged


def test_good_run_is_met_and_all_gates_hold(
    make_experiment: MakeExperiment, make_run: MakeRun
) -> None:
    verdict = judge(make_experiment(), make_run())
    assert broken_gates(verdict) == []
    assert verdict.verdict is State.MET


@pytest.mark.parametrize(
    ("kind", "gate"),
    [
        ("baseline_started", "baseline"),
        ("injection_proved", "fault"),
        ("injection_started", "fault"),
        ("undo_done", "undo"),
        ("sampling_stopped", "complete"),
        ("run_closed", "complete"),
    ],
)
def test_each_missing_record_breaks_its_gate(
    make_experiment: MakeExperiment, make_run: MakeRun, kind: str, gate: str
) -> None:
    verdict = judge(make_experiment(), make_run(without=(kind,)))
    assert gate in broken_gates(verdict)
    assert verdict.verdict is State.INCONCLUSIVE


def test_a_fault_whose_proof_failed_makes_the_run_inconclusive(
    make_experiment: MakeExperiment, make_run: MakeRun
) -> None:
    unproved = Event(32.0, "injection_proved", {"injection": "i1", "ok": False, "evidence": "same"})
    verdict = judge(make_experiment(), make_run(events=[unproved]))
    assert broken_gates(verdict) == ["fault"]
    assert verdict.verdict is State.INCONCLUSIVE


def test_an_arrangement_must_be_undone_too(
    make_experiment: MakeExperiment, make_run: MakeRun
) -> None:
    experiment = make_experiment(given=["keepalived_backups_stopped"])
    applied = Event(0.0, "arrangement_applied", {"name": "keepalived_backups_stopped"})
    undone = Event(45.0, "arrangement_undone", {"name": "keepalived_backups_stopped", "ok": True})
    assert broken_gates(judge(experiment, make_run(events=[applied]))) == ["undo"]
    verdict = judge(experiment, make_run(events=[applied, undone]))
    assert broken_gates(verdict) == []
    assert verdict.arrangements == ("keepalived_backups_stopped",)


def test_bad_or_short_baseline(make_experiment: MakeExperiment, make_run: MakeRun) -> None:
    bad = judge(make_experiment(), make_run(baseline="." * 299 + "!"))
    assert "baseline" in broken_gates(bad)
    short = judge(make_experiment(), make_run(baseline="." * 297 + "???"))
    assert "297 samples" in {gate.name: gate.reason for gate in short.gates}["baseline"]


@pytest.mark.parametrize(("unknown", "good"), [(1, True), (2, False)])
def test_more_than_one_per_cent_unknown_in_a_phase(
    make_experiment: MakeExperiment, make_run: MakeRun, unknown: int, good: bool
) -> None:
    verdict = judge(make_experiment(), make_run("." * 10 + "?" * unknown + "." * 139))
    assert ("prober" not in broken_gates(verdict)) is good


def test_a_sampler_that_loses_itself_answers_nothing(
    make_experiment: MakeExperiment, make_run: MakeRun, make_series: MakeSeries
) -> None:
    run = make_run()
    ill = make_series("." * 400 + "!" * 50, probe=CONTROL_PROBE)
    verdict = judge(make_experiment(), replace(run, series={**run.series, CONTROL_PROBE: ill}))
    assert broken_gates(verdict) == ["prober"]
    died = make_series("." * 420)
    verdict = judge(make_experiment(), replace(run, series={**run.series, "api": died}))
    assert broken_gates(verdict) == ["prober"]


def test_missed_outranks_a_broken_gate(make_experiment: MakeExperiment, make_run: MakeRun) -> None:
    run = make_run("!" * 60 + "." * 90, without=("run_closed",))
    assert judge(make_experiment(), run).verdict is State.MISSED


def test_a_refused_run_is_inconclusive_even_when_its_baseline_was_bad(
    make_experiment: MakeExperiment, make_run: MakeRun
) -> None:
    bad = {"indicator": "bad_samples", "of": "api", "at_most": 0, "during": "baseline"}
    refused = Event(31.0, "run_closed", {"reason": "refused"})
    gone = ("run_closed", "injection_started", "injection_proved", "undo_started", "undo_done")
    run = make_run(baseline="!" * 300, events=[refused], without=gone)
    verdict = judge(make_experiment(objectives=[bad]), run)
    assert verdict.objectives[0].value == 300
    assert verdict.verdict is State.INCONCLUSIVE


def test_a_tripped_guard_is_missed(make_experiment: MakeExperiment, make_run: MakeRun) -> None:
    guard = {"indicator": "longest_outage_s", "of": "api", "at_most": 8}
    experiment = make_experiment(abort_when=guard, objectives=[guard | {"at_most": 100}])
    assert judge(experiment, make_run()).verdict is State.MET
    tripped = make_run("!" * 90 + "." * 60, events=[Event(38.2, "guard_tripped")])
    verdict = judge(experiment, tripped)
    assert verdict.verdict is State.MISSED
    assert [result.guard for result in verdict.objectives] == [False, True]


def fact(t: float, component: str, node: str | None, *, good: bool, **more: str) -> Event:
    state = "up" if good else "down"
    data = {"component": component, "node": node, "state": state, "good": good, **more}
    return Event(t, "fact", data)


def test_the_story_names_who_came_last(make_experiment: MakeExperiment, make_run: MakeRun) -> None:
    facts = [
        fact(31.0, "etcd_leader", "cp3", good=True),
        fact(32.0, "haproxy_backend", "cp1", good=False, at="cp2"),
        fact(33.2, "vip", "cp2", good=True),
        fact(33.3, "keepalived", "cp1", good=False),
        fact(42.0, "haproxy_backend", "cp1", good=True, at="cp3"),
        fact(42.9, "node", "cp1", good=True),
    ]
    story = judge(make_experiment(), make_run("!" * 33 + "." * 117, events=facts)).story
    assert (story.vip_holder_before, story.etcd_leader_before) == ("cp1", "cp2")
    assert story.holder_led_etcd is False
    assert story.outage == (30.0, 33.3)
    assert [change.component for change in story.components][-2:] == ["vip", "keepalived"]
    assert story.components[0].after_s == 1.0
    assert story.last_component_for_clients == "vip cp2"
    assert story.last_component_for_whole == "node cp1"
    assert story.whole_at == 43.0


def test_a_backend_taken_out_can_be_what_clients_waited_for(
    make_experiment: MakeExperiment, make_run: MakeRun
) -> None:
    facts = [
        fact(31.0, "vip", "cp2", good=True),
        fact(32.0, "haproxy_backend", "cp2", good=False, at="cp2"),  # not the faulted one
        fact(33.2, "haproxy_backend", "cp1", good=False, at="cp2"),
    ]
    story = judge(make_experiment(), make_run("!" * 33 + "." * 117, events=facts)).story
    assert story.last_component_for_clients == "haproxy_backend cp1 (on cp2)"


def test_the_same_run_gives_the_same_bytes(
    make_experiment: MakeExperiment, make_run: MakeRun
) -> None:
    text = judge(make_experiment(), make_run("!" * 33 + "." * 117)).to_json()
    assert judge(make_experiment(), make_run("!" * 33 + "." * 117)).to_json() == text
    assert Verdict.from_json(text).to_json() == text
    assert text.endswith("}\n")
