"""time_to_rescheduled_s and the phases: from what was seen of pods, nodes and endpoints.

The act is at 30 s and takes half a second, the undo comes at 40 s; see conftest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from quorate.harness.errors import SpecError
from quorate.harness.judge import judge
from quorate.harness.model.experiment import Experiment
from quorate.harness.model.rescheduling import Phase
from quorate.harness.model.timeline import Event, Timeline
from quorate.harness.model.verdict import ObjectiveResult, State, Verdict

MakeExperiment = Callable[..., Experiment]
MakeRun = Callable[..., Timeline]
OWNER = "quorate-service/service"
LATE_S = 0.5 + 0.5
"""The act's length, and what the word of a watch may take."""


def seen(t: float, uid: str, **facts: Any) -> Event:
    data = {
        "namespace": "quorate-service",
        "name": f"service-{uid}",
        "uid": uid,
        "owner": OWNER,
        "node": "w1",
        "started": True,
        "restarts": 0,
        "ready": True,
        "ending": False,
    }
    return Event(t, "pod_seen", data | facts)


def endpoints(t: float, *uids: str, **more: Any) -> Event:
    data = {"namespace": "quorate-service", "service": "service", "slice": "s", "ready": [*uids]}
    return Event(t, "endpoints_seen", data | more)


def node(t: float, *, ready: str = "True", taints: Sequence[str] = ()) -> Event:
    data = {"node": "w1", "ready": ready, "no_execute": [*taints], "cordoned": False}
    return Event(t, "node_seen", data)


BEFORE = [seen(5, "a"), seen(5, "b", node="w2"), endpoints(6, "a", "b"), node(1)]
GIVEN_UP = [
    node(33, ready="Unknown"),
    node(33.1, ready="Unknown", taints=["node.kubernetes.io/unreachable"]),
    seen(33.2, "a", ready=False),
    endpoints(33.3, "b"),
    seen(35, "a", ready=False, ending=True),
]
NEW: dict[str, Any] = {"ready": False, "started": False}
REPLACED = [
    seen(35.1, "c", node=None, **NEW),
    seen(35.2, "c", node="w2", **NEW),
    seen(36.0, "c", node="w2", started=True, ready=False),
    seen(37.0, "c", node="w2"),
    endpoints(37.5, "b", "c"),
]


class Ask:
    """A run with these events, judged; the objective's answer, and the whole verdict."""

    def __init__(self, make_experiment: MakeExperiment, make_run: MakeRun) -> None:
        self._experiment, self._run = make_experiment, make_run

    def verdict(
        self, *events: Event, at_most: float = 9.0, owner: str = OWNER, **started: Any
    ) -> Verdict:
        asked = {"indicator": "time_to_rescheduled_s", "owner": owner, "at_most": at_most}
        web = {"probe": "w", "path": "service", "connection": "new", "rate_hz": 10}
        experiment = self._experiment(objectives=[asked], probes={"api": web})
        facts = {"injection": "i1", "fault": "node_power_off", "nodes": ["w1"]} | started
        act = [
            Event(30.0, "injection_started", facts),
            Event(30.5, "injection_acted", {"injection": "i1"}),
        ]
        return judge(experiment, self._run(events=[*act, *events], without=["injection_started"]))

    def __call__(self, *events: Event, **more: Any) -> ObjectiveResult:
        return self.verdict(*events, **more).objectives[0]


@pytest.fixture
def ask(make_experiment: MakeExperiment, make_run: MakeRun) -> Ask:
    return Ask(make_experiment, make_run)


def test_until_the_replacement_is_an_endpoint(ask: Ask) -> None:
    result = ask(*BEFORE, *GIVEN_UP, *REPLACED)
    assert (result.state, result.value, result.low) == (State.MET, 7.5, 7.5 - LATE_S)
    assert (result.of, result.during) == ((OWNER,), "since injection")
    assert ask(*BEFORE, *GIVEN_UP, *REPLACED, at_most=6.0).state is State.MISSED
    assert ask(*BEFORE, *GIVEN_UP, *REPLACED, at_most=7.0).state is State.INCONCLUSIVE


def test_an_act_that_waits_for_the_cluster_had_bitten_when_the_first_pod_was_ending(
    ask: Ask,
) -> None:
    """A drain ends when the last pod is gone, long after the first was told to go."""
    evicted = [seen(34, "a", ending=True), seen(34.1, "c", node="w2")]
    events = [*BEFORE, *evicted, endpoints(35, "b", "c")]
    acted = Event(39.0, "injection_acted", {"injection": "i9"})
    result = ask(*events, acted, injection="i9")
    assert (result.low, result.value) == (pytest.approx(5.0 - 4.0 - 0.5), 5.0)


def test_the_phases_of_a_pod(ask: Ask) -> None:
    verdict = ask.verdict(*BEFORE, *GIVEN_UP, *REPLACED)
    (owner,) = verdict.rescheduling
    (pod,) = owner.pods
    assert (pod.pod, pod.by, pod.on) == (
        "quorate-service/service-a",
        "quorate-service/service-c",
        "w2",
    )
    assert {phase: round(high, 3) for phase, (_, high) in pod.phases.items()} == {
        Phase.DETECT: 3.0,
        Phase.TAINT: 3.1,
        Phase.WITHDRAWN: 3.3,
        Phase.EVICT: 5.0,
        Phase.CREATE: 5.1,
        Phase.SCHEDULE: 5.2,
        Phase.START: 6.0,
        Phase.READY: 7.0,
        Phase.ENDPOINT: 7.5,
        Phase.FIRST_GOOD: 7.51,
    }
    assert owner.latest() == pod.phases
    assert Verdict.from_json(verdict.to_json()) == verdict


def test_the_first_good_request_is_the_first_of_three(
    make_experiment: MakeExperiment, make_run: MakeRun
) -> None:
    web = {"probe": "w", "path": "service:w2", "connection": "new", "rate_hz": 10}
    asked = [{"indicator": "time_to_rescheduled_s", "at_most": 9}]
    experiment = make_experiment(objectives=asked, probes={"api": web})
    facts = {"injection": "i1", "fault": "node_power_off", "nodes": ["w1"]}
    events = [Event(30.0, "injection_started", facts), *BEFORE, *GIVEN_UP, *REPLACED]
    run = make_run("." * 75 + "..!.!" + "." * 70, events=events, without=["injection_started"])
    (owner,) = judge(experiment, run).rescheduling
    low, high = owner.pods[0].phases[Phase.FIRST_GOOD]
    assert high == pytest.approx(8.01)
    assert low < high - 0.1
    bad = make_run("." * 75 + "!" * 75, events=events, without=["injection_started"])
    (owner,) = judge(experiment, bad).rescheduling
    assert Phase.FIRST_GOOD not in owner.pods[0].phases


def test_no_replacement_is_missed_where_it_was_watched_for_long_enough(ask: Ask) -> None:
    result = ask(*BEFORE, *GIVEN_UP, at_most=9.0)
    assert (result.state, result.censored, result.value) == (State.MISSED, True, 10.0)
    assert "quorate-service/service-a" in result.reason
    short = ask(*BEFORE, *GIVEN_UP, at_most=30.0)
    assert (short.state, short.censored) == (State.INCONCLUSIVE, True)
    assert "watch it for longer" in short.reason


def test_what_comes_after_the_undo_is_no_replacement(ask: Ask) -> None:
    late = [seen(41.0, "c", node="w2"), endpoints(41.5, "b", "c")]
    assert ask(*BEFORE, *GIVEN_UP, *late).state is State.MISSED


def test_a_pod_that_was_there_before_replaces_nobody(ask: Ask) -> None:
    before = seen(29.0, "c", node="w2", **NEW)
    after = [seen(36.0, "c", node="w2"), endpoints(36.5, "b", "c")]
    assert ask(*BEFORE, before, *GIVEN_UP, *after).state is State.MISSED


def test_a_pod_that_may_have_been_there_before_replaces_nobody(ask: Ask) -> None:
    gap = seen(36.0, "c", node="w2", since=29.0)
    assert ask(*BEFORE, *GIVEN_UP, gap, endpoints(36.5, "b", "c")).state is State.MISSED


@pytest.mark.parametrize("facts", [{"owner": "shop/web"}, {"node": "w3"}])
def test_a_pod_of_others_or_elsewhere_is_ignored(ask: Ask, facts: dict[str, str]) -> None:
    other = seen(4, "x", **facts)
    verdict = ask.verdict(*BEFORE, other, *GIVEN_UP, *REPLACED)
    assert verdict.objectives[0].value == 7.5
    ours = next(one for one in verdict.rescheduling if one.owner == OWNER)
    assert [pod.pod for pod in ours.pods] == ["quorate-service/service-a"]


def test_a_new_pod_of_another_owner_replaces_nobody(ask: Ask) -> None:
    others = [seen(36.0, "c", owner="shop/web"), endpoints(36.5, "b", "c")]
    assert ask(*BEFORE, *GIVEN_UP, *others).state is State.MISSED


def test_without_any_word_about_pods_nothing_is_answered(ask: Ask) -> None:
    assert ask().state is State.INCONCLUSIVE
    assert "nothing was seen of any pod" in ask().reason
    assert ask(node(33, ready="Unknown")).state is State.INCONCLUSIVE


def test_an_owner_without_a_pod_there_is_no_pass(ask: Ask) -> None:
    result = ask(*BEFORE, *GIVEN_UP, *REPLACED, owner="shop/web")
    assert (result.state, result.value) == (State.INCONCLUSIVE, None)
    assert "no pod of shop/web was on w1" in result.reason


def test_every_pod_that_was_hit_needs_one(ask: Ask) -> None:
    two = [*BEFORE, seen(5, "a2"), seen(35.5, "a2", ready=False, ending=True)]
    assert ask(*two, *GIVEN_UP, *REPLACED).state is State.MISSED
    second = [seen(35.6, "d", node="w2", **NEW), seen(37.9, "d", node="w2")]
    verdict = ask.verdict(*two, *GIVEN_UP, *REPLACED, *second, endpoints(38, "b", "c", "d"))
    assert verdict.objectives[0].value == 8.0
    assert {pod.by for pod in verdict.rescheduling[0].pods} == {
        "quorate-service/service-c",
        "quorate-service/service-d",
    }


def test_a_namesake_takes_the_place_of_its_own(ask: Ask) -> None:
    """A StatefulSet's pods keep their names."""
    names = {"a": "db-0", "c": "db-0", "d": "db-1", "a2": "db-1"}
    two = [*BEFORE, seen(5, "a2"), seen(35.5, "a2", ready=False, ending=True)]
    new = [seen(35.6, "d", node="w2"), endpoints(38, "b", "c", "d")]
    events = [
        Event(one.t, one.kind, {**one.data, "name": names.get(str(one.data["uid"]), "x")})
        if one.kind == "pod_seen"
        else one
        for one in [*two, *GIVEN_UP, *REPLACED, *new]
    ]
    (owner,) = ask.verdict(*events).rescheduling
    assert {(pod.pod, pod.by) for pod in owner.pods} == {
        ("quorate-service/db-0", "quorate-service/db-0"),
        ("quorate-service/db-1", "quorate-service/db-1"),
    }


def test_where_nothing_was_ever_an_endpoint_ready_is_enough(ask: Ask) -> None:
    events = [one for one in (*BEFORE, *GIVEN_UP, *REPLACED) if one.kind != "endpoints_seen"]
    assert ask(*events).value == 7.0


def test_where_nobody_told_of_endpoints_ready_is_not_enough(ask: Ask) -> None:
    events = [one for one in (*BEFORE, *GIVEN_UP, *REPLACED) if one.kind != "endpoints_seen"]
    forbidden = Event(1.0, "watch_blind", {"resource": "endpoints of x", "blind": True})
    assert ask(forbidden, *events).state is State.INCONCLUSIVE


KILLED = [
    seen(31.0, "a", started=False, ready=False),
    endpoints(31.2, "b"),
    seen(32.0, "a", restarts=1, ready=False),
    seen(33.0, "a", restarts=1),
    endpoints(33.4, "a", "b"),
]
MEANT = {"fault": "pod_kill", "before": {"pods:w1": "quorate-service/service-a", "ready": "2"}}


def test_a_pod_whose_containers_are_started_again_is_its_own_replacement(ask: Ask) -> None:
    verdict = ask.verdict(*BEFORE, *KILLED, **MEANT)
    (pod,) = verdict.rescheduling[0].pods
    assert (pod.by, verdict.objectives[0].value) == (pod.pod, pytest.approx(3.4))
    assert {phase: round(high, 2) for phase, (_, high) in pod.phases.items()} == {
        Phase.DETECT: 1.0,
        Phase.WITHDRAWN: 1.2,
        Phase.START: 2.0,
        Phase.READY: 3.0,
        Phase.ENDPOINT: 3.4,
        Phase.FIRST_GOOD: 3.41,
    }


def test_a_restart_so_quick_that_it_stayed_an_endpoint(ask: Ask) -> None:
    result = ask(*BEFORE, seen(32.0, "a", restarts=1), **MEANT)
    assert (result.state, result.value) == (State.MET, 2.0)


def test_a_kill_that_nobody_noticed_is_missed(ask: Ask) -> None:
    assert ask(*BEFORE, **MEANT).state is State.MISSED
    assert ask(*BEFORE, seen(32.0, "a", started=False), **MEANT).state is State.MISSED


@pytest.mark.parametrize(
    "text", ["quorate-service/service-b", '{"b": "quorate-service/service-b"}']
)
def test_a_pod_that_the_fault_did_not_mean_is_not_hit(ask: Ask, text: str) -> None:
    result = ask(*BEFORE, *KILLED, fault="pod_kill", before={"pods:w1": text})
    assert (result.state, result.value) == (State.INCONCLUSIVE, None)


def test_a_gap_widens_the_range(ask: Ask) -> None:
    late = [*REPLACED[:-1], endpoints(37.5, "b", "c", since=33.0)]
    result = ask(*BEFORE, *GIVEN_UP, *late)
    assert (result.low, result.high) == (pytest.approx(6.5 - 0.5), 7.5), "ready itself came at 7"
    assert ask(*BEFORE, *GIVEN_UP, *late, at_most=7.2).state is State.INCONCLUSIVE


def test_nobody_who_sees_is_no_replacement_missed(ask: Ask) -> None:
    blind = Event(36.0, "watch_blind", {"resource": "pods of quorate-service", "blind": True})
    result = ask(*BEFORE, *GIVEN_UP, blind)
    assert result.state is State.INCONCLUSIVE
    assert "no API server told of pods" in result.reason
    sees = Event(38.0, "watch_blind", {"resource": "pods of quorate-service", "blind": False})
    assert ask(*BEFORE, *GIVEN_UP, blind, sees).state is State.MISSED


def test_it_is_only_asked_where_there_is_a_fault(make_experiment: MakeExperiment) -> None:
    with pytest.raises(SpecError, match="no fault"):
        make_experiment(
            method=["watch"], objectives=[{"indicator": "time_to_rescheduled_s", "at_most": 5}]
        )
