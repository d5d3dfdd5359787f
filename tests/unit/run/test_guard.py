"""abort_when: undone at once wherever it trips, and nothing more is broken after that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from quorate.harness.errors import QuorateError, RefusedError, StoreError
from quorate.harness.model.cluster import Cluster
from quorate.harness.model.objectives import LongestOutage
from quorate.harness.run.guard import Guard
from quorate.harness.run.run import Run

LIMIT = LongestOutage(indicator="longest_outage_s", of="api", at_most=5, during="fault")


@dataclass
class Watcher:
    """Trips at the tick for which `trips` is set; no time passes."""

    guarded: bool = False
    tripped: bool = False
    trips: bool = False
    clock: Any = field(default_factory=lambda: SimpleNamespace(now=lambda: 0.0))

    def tick(self, what: str = "") -> None:
        self.tripped = self.tripped or (self.guarded and self.trips)

    def recovered(self, *, at_least_s: float) -> Callable[[], bool]:
        return lambda: False

    def whole(self) -> Callable[[], bool]:
        return lambda: False

    def until(self, done: Callable[[], bool], *, at_most_s: float, what: str) -> bool:
        self.tick()
        return False

    def beside(self, work: Any, *, what: str) -> Any:
        self.tick()
        return work()


class Scene:
    """A run in the middle of its method, all of whose other parts only take notes."""

    def __init__(self, cluster: Cluster) -> None:
        self.did: list[str] = []
        self.full = False
        self.watcher = Watcher()
        injector = SimpleNamespace(
            put_on=self.put_on, faults_off=self.faults_off, faults_on=(), faults_put_on=True
        )
        directory = SimpleNamespace(append_event=self.append_event)
        progress = SimpleNamespace(say=lambda text: None)
        parts: dict[str, Any] = {
            "directory": directory,
            "injector": injector,
            "watcher": self.watcher,
            "progress": progress,
        }
        self.guard = Guard(LIMIT, **parts)
        workings: Any = SimpleNamespace(**parts, guard=self.guard)
        workings.demand_lease = lambda faulted: None
        workings.sampling = SimpleNamespace(demand_not_hit=lambda nodes: None)
        components = SimpleNamespace(missing=tuple, vip_holder="cp1", etcd_leader="cp2")
        workings.observer = SimpleNamespace(components=components)
        request: Any = SimpleNamespace(
            cluster=cluster, experiment=SimpleNamespace(abort_when=LIMIT, method=())
        )
        self.run = Run(request, workings=workings)
        self.run.stage = "steady"
        aim: Any = SimpleNamespace(
            nodes=lambda word: ("cp1",),
            demand_within_limits=lambda *_, **__: None,
            demand_still=lambda *_, **__: None,
        )
        self.run._aim = aim

    def put_on(self, *_: object, **__: object) -> str:
        self.did.append("on")
        self.watcher.guarded = True
        self.watcher.tick()
        return "it bites"

    def faults_off(self) -> None:
        self.did.append("off")
        self.watcher.guarded = False

    def append_event(self, kind: str, /, **_: object) -> None:
        if self.full and kind == "guard_tripped":
            raise StoreError("No space left on device")
        self.did.append(kind)

    def inject(self) -> dict[str, object]:
        arguments = {"target": "x", "watch_until": "recovered", "at_most_s": 1.0}
        return self.run.inject("etcd_kill", arguments)


@pytest.fixture
def scene(cluster: Cluster) -> Scene:
    return Scene(cluster)


def test_it_undoes_in_the_watch_of_a_fault_and_nothing_more_is_broken(scene: Scene) -> None:
    scene.watcher.trips = True
    scene.inject()
    assert scene.did[-2:] == ["guard_tripped", "off"]
    with pytest.raises(RefusedError, match="nothing more is broken"):
        scene.inject()
    assert scene.did.count("on") == 1
    assert scene.run.failure is None, "the return leg is watched all the same"
    scene.run.undo(watch_until="whole", at_most_s=1.0)


def test_it_looks_in_a_step_that_only_watches(scene: Scene) -> None:
    scene.inject()
    scene.did.clear()
    scene.watcher.trips = True
    scene.run.watch(for_s=1.0)
    assert scene.did == ["watch_started", "watch_ended", "guard_tripped", "off"]


def test_it_looks_before_another_fault(scene: Scene) -> None:
    """What was not ours between them may have taken long, and nobody looked."""
    scene.inject()
    scene.watcher.trips = True
    with pytest.raises(RefusedError):
        scene.inject()
    assert scene.did.count("on") == 1
    assert scene.did[-2:] == ["guard_tripped", "off"]


def test_it_undoes_although_that_cannot_be_written_down(scene: Scene) -> None:
    scene.inject()
    scene.full = scene.watcher.trips = True
    with pytest.raises(QuorateError):
        scene.run.watch(for_s=1.0)
    assert "off" in scene.did
