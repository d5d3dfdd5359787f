"""Whom a fault is put on, asked again at the act, and what already does not work by then."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from quorate.harness.errors import DriverError, RefusedError
from quorate.harness.faults.catalogue import FAULTS, parameters_of
from quorate.harness.model.cluster import Cluster
from quorate.harness.model.experiment import Activity, Experiment
from quorate.harness.run.aim import Aim
from quorate.harness.run.limits import Placed

ALL = frozenset({"cp1", "cp2", "cp3"})


@dataclass
class Clock:
    time: float = 0.0
    at: dict[float, Any] = field(default_factory=dict)

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds
        for due in [due for due in self.at if due <= self.time]:
            self.at.pop(due)()


@dataclass
class Components:
    vip_holder: str | None = "cp2"
    etcd_leader: str | None = "cp1"
    good: dict[str, frozenset[str]] = field(default_factory=lambda: {"etcd": ALL, "apiserver": ALL})

    def nodes_good(self, component: str) -> frozenset[str]:
        return self.good[component]


class Watcher:
    def __init__(self) -> None:
        self.clock = Clock()

    def beside(self, work: Any, *, what: str) -> Any:
        return work()

    def until(self, done: Any, *, at_most_s: float, what: str) -> bool:
        start = self.clock.now()
        while not done():
            if self.clock.now() - start >= at_most_s:
                return False
            self.clock.sleep(0.1)
        return True


@dataclass
class Scene:
    cluster: Cluster
    beyond: bool = False
    components: Components = field(default_factory=Components)
    watcher: Watcher = field(default_factory=Watcher)
    on: list[Placed] = field(default_factory=list)
    lease: list[str | None] = field(default_factory=lambda: ["cp3"])
    planned: dict[str, tuple[str, ...]] = field(default_factory=dict)
    put_on: list[str] = field(default_factory=list)

    def aim(self, *words: str, fault: str = "etcd_isolate") -> Aim:
        common: Any = {"kind": "fault", "module": "quorate.faults", "func": fault}
        steps = [Activity(name=word, arguments={"target": word}, **common) for word in words]
        played = Experiment(
            title="",
            description="",
            tags=(),
            method=tuple(steps),
            given=(),
            baseline_s=15,
            probes={},
            objectives=(),
            abort_when=None,
            beyond_tolerance=self.beyond,
        )
        parts: Any = SimpleNamespace(
            observer=SimpleNamespace(components=self.components),
            watcher=self.watcher,
            injector=SimpleNamespace(faults_on=self.on, faults_put_on=self.put_on),
            directory=SimpleNamespace(path=Path(), append_event=lambda kind, **data: None),
            progress=SimpleNamespace(say=lambda text: None),
            running=lambda selector: ("w1",),
            lease_node=self._lease_node,
        )
        request: Any = SimpleNamespace(
            experiment=played, cluster=self.cluster, seed=1, planned=self.planned
        )
        aim = Aim(request, workings=parts)
        aim.take()
        return aim

    def _lease_node(self, name: str) -> str | None:
        if not self.lease:
            raise DriverError("no API server answers")
        return self.lease[0]

    def check(self, aim: Aim, node: str) -> None:
        arguments = {one.name: one.default for one in parameters_of("etcd_isolate")}
        aim.demand_within_limits(FAULTS["etcd_isolate"], nodes=[node], arguments=arguments)


@pytest.fixture
def scene(cluster: Cluster) -> Scene:
    return Scene(cluster)


def test_the_same_word_for_another_node_while_the_first_is_broken(scene: Scene) -> None:
    """The first leader is cut off, another leads: by its words the plan hits one node only."""
    aim = scene.aim("etcd-leader", "etcd-leader")
    assert aim.nodes("etcd-leader") == ("cp1",)
    scene.check(aim, "cp1")
    scene.on.append(Placed(FAULTS["etcd_isolate"], ("cp1",)))
    scene.components.etcd_leader = "cp3"
    assert aim.nodes("etcd-leader") == ("cp3",)
    with pytest.raises(RefusedError, match="cp1, cp3"):
        scene.check(aim, "cp3")


def test_a_member_that_died_by_itself_counts(scene: Scene) -> None:
    aim = scene.aim("etcd-leader")
    scene.components.good["etcd"] = ALL - {"cp2"}
    with pytest.raises(RefusedError, match="cp1, cp2 down leaves 1 of 3 etcd members"):
        scene.check(aim, "cp1")
    scene.check(aim, "cp2")
    scene.components.good = {"etcd": ALL, "apiserver": frozenset({"cp1"})}
    with pytest.raises(RefusedError, match="leaves 0 of 3 API servers"):
        scene.check(aim, "cp1")


def test_a_follower_that_is_late_is_waited_for(scene: Scene) -> None:
    aim = scene.aim("etcd-leader")
    scene.components.good["etcd"] = frozenset()
    scene.watcher.clock.at[2.0] = lambda: scene.components.good.update(etcd=ALL)
    scene.check(aim, "cp1")
    assert 2.0 <= scene.watcher.clock.now() < 3.0


def test_beyond_tolerance_is_allowed_what_it_says(cluster: Cluster) -> None:
    scene = Scene(cluster, beyond=True)
    scene.components.good["etcd"] = frozenset()
    scene.check(scene.aim("etcd-leader"), "cp1")


def test_a_leader_that_moved_before_the_act_is_noticed(scene: Scene) -> None:
    aim = scene.aim("scheduler-leader", fault="scheduler_kill")
    nodes = aim.nodes("scheduler-leader")
    aim.demand_still("scheduler-leader", nodes=nodes)
    scene.lease[0] = "cp1"
    with pytest.raises(RefusedError, match="scheduler-leader was cp3 and is not any more"):
        aim.demand_still("scheduler-leader", nodes=nodes)
    scene.lease.clear()
    with pytest.raises(RefusedError, match="not any more"):
        aim.demand_still("scheduler-leader", nodes=nodes)


def test_what_is_not_known_for_a_moment_is_asked_again(scene: Scene) -> None:
    aim = scene.aim("vip-holder")
    scene.components.vip_holder = None
    scene.watcher.clock.at[1.0] = lambda: setattr(scene.components, "vip_holder", "cp2")
    aim.demand_still("vip-holder", nodes=("cp2",))
    scene.components.vip_holder = "cp3"
    with pytest.raises(RefusedError, match="vip-holder was cp2"):
        aim.demand_still("vip-holder", nodes=("cp2",))


def test_a_kept_plan_holds_the_targets_until_something_is_broken(scene: Scene) -> None:
    scene.planned = {"etcd-leader": ("cp1",)}
    aim = scene.aim("etcd-leader")
    assert aim.nodes("etcd-leader") == ("cp1",)
    scene.components.etcd_leader = "cp3"
    with pytest.raises(RefusedError, match="etcd-leader cp1 → cp3"):
        aim.nodes("etcd-leader")
    with pytest.raises(RefusedError, match="plan it anew"):
        scene.aim("etcd-leader")


def test_what_moves_by_the_runs_own_fault_was_planned(scene: Scene) -> None:
    scene.planned = {"etcd-leader": ("cp1",)}
    aim = scene.aim("etcd-leader")
    scene.put_on.append("etcd_isolate-1")
    scene.components.etcd_leader = "cp3"
    assert aim.nodes("etcd-leader") == ("cp3",)


def test_what_a_plan_could_not_know_yet_may_be_any(scene: Scene) -> None:
    scene.planned = {"etcd-leader": ()}
    assert scene.aim("etcd-leader").nodes("etcd-leader") == ("cp1",)
