"""What a run asks, and in which order, before it takes a cluster and before it breaks something."""

from __future__ import annotations

import signal
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from quorate.harness.errors import RefusedError
from quorate.harness.judge.intervals import Counts
from quorate.harness.model.cluster import Cluster
from quorate.harness.model.experiment import Activity, Experiment
from quorate.harness.model.verdict import PredictionResult
from quorate.harness.run import pace
from quorate.harness.run.run import Run

ALL = frozenset({"cp1", "cp2", "cp3"})


class Watcher:
    """No time passes; ``waited`` is how long each wait might have lasted."""

    tripped = False

    def __init__(self) -> None:
        self.waited: dict[str, float] = {}

    def beside(self, work: Any, *, what: str) -> Any:
        return work()

    def until(self, done: Any, *, at_most_s: float, what: str) -> bool:
        self.waited[what] = at_most_s
        return bool(done())


@dataclass
class Scene:
    """A run of one fault whose parts write down what is asked of them."""

    cluster: Cluster
    asked: list[str] = field(default_factory=list)
    good: frozenset[str] = ALL
    on: tuple[Any, ...] = ()
    place: int = 0
    follows: bool = False
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    watcher: Watcher = field(default_factory=Watcher)
    seen: Counts = Counts(good=300)  # noqa: RUF009

    def forecast(self, nodes: Any) -> Any:
        self.asked.append(f"the timers, and the pods on {', '.join(nodes)}")
        return SimpleNamespace(of=self.foretell)

    def foretell(self, *_: Any, placed: Any, **__: Any) -> tuple[PredictionResult, ...]:
        self.asked.append(f"what {placed.fault.name} on {', '.join(placed.nodes)} costs")
        return (PredictionResult(what="longest_outage_s", low=1.0, high=2.0, formula="f"),)

    def append_event(self, kind: str, /, **data: Any) -> None:
        self.events.append((kind, data))

    def arrange(self, arrangement: Any, **_: Any) -> None:
        self.asked.append(f"arranged {arrangement.name}")

    def start_sampling(self) -> None:
        self.asked.append("sampling")
        raise RefusedError("far enough")

    def claim(self, lasts_s: float) -> None:
        self.asked.append("claimed")
        signal.raise_signal(signal.SIGINT)
        self.asked.append("journalled")

    def demand_lease(self, api_may_be_down: bool) -> None:
        self.asked.append(f"lease, API may be down: {api_may_be_down}")

    def put_on(self, fault: Any, *, target: Any, facts: Any) -> str:
        target.still_so()
        self.asked.append(f"{fault.name} on {', '.join(target.nodes)}")
        raise RefusedError("far enough")

    def run(self, *given: str) -> Run:
        step = Activity(
            name="kill",
            kind="fault",
            module="quorate.faults",
            func="etcd_kill",
            arguments={"target": "etcd-leader"},
        )
        played = Experiment(
            title="",
            description="",
            tags=(),
            method=(step,),
            given=given,
            baseline_s=15,
            probes={},
            objectives=(),
            abort_when=None,
        )
        components = SimpleNamespace(
            missing=tuple,
            vip_holder="cp1",
            etcd_leader="cp2",
            nodes_good=lambda component: self.good,
        )
        nothing: Any = lambda *_, **__: None  # noqa: E731
        self.watcher.clock = SimpleNamespace(now=lambda: 0.0, sleep=nothing)  # type: ignore[attr-defined]
        workings: Any = SimpleNamespace(
            directory=SimpleNamespace(
                append_event=self.append_event,
                write_fingerprint=lambda found: self.asked.append(f"wrote {found}"),
                now=lambda: 0.0,
            ),
            fingerprint=lambda: "what runs",
            observer=SimpleNamespace(start=nothing, components=components),
            watcher=self.watcher,
            sampling=SimpleNamespace(
                resolve=nothing,
                demand_not_hit=nothing,
                start=self.start_sampling,
                has_enough=lambda since: True,
                counts=lambda since: self.seen,
            ),
            injector=SimpleNamespace(
                put_on=self.put_on,
                arrange=self.arrange,
                faults_on=self.on,
                faults_put_on=False,
                faults_off=nothing,
            ),
            forecast=self.forecast,
            guard=SimpleNamespace(look=nothing, heed=nothing, refuse_more=nothing),
            progress=SimpleNamespace(say=nothing),
            open_ledger=lambda: self.asked.append("the ledger's registers"),
            demand_rights=nothing,
            claim=self.claim,
            demand_lease=self.demand_lease,
        )
        request: Any = SimpleNamespace(
            experiment=played,
            cluster=self.cluster,
            seed=1,
            place=self.place,
            follows=self.follows,
            planned={},
        )
        return Run(request, workings=workings)

    def steady(self) -> Run:
        run = self.run()
        run._aim.take()
        run._forecast = self.forecast(["cp2"])
        self.asked.clear()
        run.stage = "steady"
        return run

    def inject(self) -> None:
        self.steady().inject("etcd_kill", {"target": "etcd-leader"})


def test_a_signal_waits_until_the_lease_s_removal_is_journalled(cluster: Cluster) -> None:
    scene = Scene(cluster)
    with pytest.raises(KeyboardInterrupt):
        scene.run().look_around()
    assert scene.asked == ["wrote what runs", "claimed", "journalled"]


def test_before_a_fault_the_lease_and_what_works_are_asked(cluster: Cluster) -> None:
    scene = Scene(cluster)
    with pytest.raises(RefusedError, match="far enough"):
        scene.inject()
    assert scene.asked == [
        "lease, API may be down: False",
        "what etcd_kill on cp2 costs",
        "etcd_kill on cp2",
    ]
    (kind, data) = scene.events[-1]
    assert (kind, data["low"], data["high"]) == ("prediction", 1.0, 2.0)


def test_what_was_bad_after_the_baseline_keeps_a_fault_from_being_put_on(cluster: Cluster) -> None:
    scene = Scene(cluster, seen=Counts(good=310, bad=2))
    with pytest.raises(RefusedError, match=r"not steady any more, .* 2 sample"):
        scene.inject()
    assert "etcd_kill on cp2" not in scene.asked
    scene = Scene(cluster, seen=Counts(good=310, unknown=2))
    with pytest.raises(RefusedError, match="far enough"):
        scene.inject()


def test_timers_are_read_as_arranged_and_before_the_baseline(cluster: Cluster) -> None:
    scene = Scene(cluster)
    run = scene.run("haproxy_checks_off")
    run._aim.take()
    with pytest.raises(RefusedError, match="far enough"):
        run.baseline()
    assert scene.asked == [
        "arranged haproxy_checks_off",
        "the timers, and the pods on cp2",
        "the ledger's registers",
        "sampling",
    ]


def test_with_another_member_down_nothing_is_put_on(cluster: Cluster) -> None:
    scene = Scene(cluster, good=ALL - {"cp1"})
    with pytest.raises(RefusedError, match="cp1, cp2 down leaves 1 of 3 etcd members"):
        scene.inject()
    assert scene.asked == ["lease, API may be down: False"]


@pytest.mark.parametrize(
    ("place", "follows", "waits_s"),
    [
        (0, False, pace.WHOLE_AT_START_S),
        (1, False, pace.WHOLE_AT_START_S),
        (2, False, pace.WHOLE_BETWEEN_S),
        (0, True, pace.WHOLE_BETWEEN_S),
    ],
)
def test_only_after_a_run_is_long_waited_for_the_whole(
    cluster: Cluster, place: int, follows: bool, waits_s: float
) -> None:
    scene = Scene(cluster, place=place, follows=follows)
    with pytest.raises(KeyboardInterrupt):
        scene.run().look_around()
    assert scene.watcher.waited["is the cluster whole?"] == waits_s


def test_acts_of_a_series_come_at_any_phase(cluster: Cluster) -> None:
    drawn = []
    for seed in range(200):
        scene = Scene(cluster, place=3)
        run = scene.run()
        run.request.seed = seed  # type: ignore[misc]
        run._baseline_window()
        event = dict(scene.events)["injection_phase"]
        assert (event["of_s"], event["run"]) == (pace.PHASE_S, 3)
        assert scene.watcher.waited["baseline"] == pytest.approx(15 + event["drawn_s"], abs=0.001)
        drawn.append(event["drawn_s"])
    assert min(drawn) >= 0
    assert max(drawn) <= pace.PHASE_S
    thirds = [sum(1 for one in drawn if one // (pace.PHASE_S / 3) == third) for third in range(3)]
    assert min(thirds) > 40, "even: 67 each, on average"


def test_a_run_alone_waits_for_no_phase(cluster: Cluster) -> None:
    scene = Scene(cluster)
    scene.run()._baseline_window()
    assert scene.watcher.waited["baseline"] == 15
    assert scene.events == []


def kinds(scene: Scene) -> list[str]:
    return [kind for kind, _ in scene.events if kind.startswith("watch")]


def test_who_has_a_block_of_code_waits_for_nothing_after_the_proof(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene(cluster)
    monkeypatch.setattr(scene, "put_on", lambda fault, **_: "it is silent")
    run = scene.steady()
    told = run.inject("etcd_kill", {"target": "etcd-leader"}, watching=False)
    assert told == {"nodes": ["cp2"], "proof": "it is silent", "reached": False}
    assert kinds(scene) == []
    with run.aside():
        assert kinds(scene) == ["watch_started"]
    with pytest.raises(ZeroDivisionError), run.aside():
        raise ZeroDivisionError
    assert kinds(scene) == ["watch_started", "watch_ended"] * 2
    assert run.failure is None, "the block's error is no failure of the run"


def test_before_the_baseline_and_after_the_end_there_is_no_block(cluster: Cluster) -> None:
    run = Scene(cluster).run()
    with pytest.raises(RefusedError, match="out of order"), run.aside():
        pass
    run.stage = "closed"
    with pytest.raises(RefusedError, match="out of order"):
        run.watch_until("recovered", at_most_s=1.0)
