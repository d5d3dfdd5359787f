"""Evicting: who leaves, who stays, how often it is tried, and what is said of those that stay."""

from __future__ import annotations

import pytest

from quorate.harness.drivers.drain import drain, noticed_cordons, stuck
from quorate.harness.drivers.pods import SAMPLER_LABELS, selects
from quorate.harness.errors import DriverError
from tests.memory_api import MemoryServer, budget, pod


class Time:
    """A clock that stands still but for waiting."""

    def __init__(self) -> None:
        self.t = 0.0

    def now(self) -> float:
        return self.t

    def sleep(self, seconds: float) -> None:
        self.t += seconds


CORDONED = ("/api/v1/nodes/w1", {"metadata": {"name": "w1"}, "spec": {"unschedulable": True}})


def evictions(server: MemoryServer) -> list[str]:
    return [path.split("/")[-2] for method, path in server.asked if method == "POST"]


def test_daemonsets_and_mirror_pods_stay() -> None:
    server = MemoryServer(
        dict([CORDONED, pod("a"), pod("proxy", owner="DaemonSet"), pod("static")])
    )
    server.objects["/api/v1/namespaces/shop/pods/static"]["metadata"]["annotations"] = {
        "kubernetes.io/config.mirror": "x"
    }
    done = drain(server.api, node="w1", deadline_s=10, clock=Time())
    assert done.evicted == ("shop/a",)
    assert done.left == ()
    assert evictions(server) == ["a"]


def test_the_pod_that_looks_on_stays() -> None:
    """One that is evicted would tell nothing more."""
    ours = pod("ours", owner=None, labels={**SAMPLER_LABELS, "quorate/mark": "m"})
    server = MemoryServer(dict([CORDONED, pod("a", labels={"quorate/mark": "m"}), ours]))
    done = drain(server.api, node="w1", deadline_s=10, clock=Time())
    assert done.evicted == ("shop/a",)
    assert done.left == (), "nor does anybody wait for it"


def test_pods_of_other_nodes_are_not_asked_to_go() -> None:
    server = MemoryServer(dict([CORDONED, pod("a"), pod("b", node="w2")]))
    drain(server.api, node="w1", deadline_s=10, clock=Time())
    assert evictions(server) == ["a"]


def test_a_refusal_is_tried_again_until_it_is_granted() -> None:
    server = MemoryServer(dict([CORDONED, pod("a"), budget("b", allowed=0)]))
    server.evictions["a"] = [429, 429, 201]
    clock = Time()
    done = drain(server.api, node="w1", deadline_s=10, clock=clock)
    assert done.evicted == ("shop/a",)
    assert done.refusals == 2
    assert 0 < clock.t < 10


def test_at_the_deadline_the_pod_and_its_budget_are_named() -> None:
    server = MemoryServer(dict([CORDONED, pod("a"), budget("never", allowed=0)]))
    server.evictions["a"] = [429]
    clock = Time()
    done = drain(server.api, node="w1", deadline_s=10, clock=clock)
    assert clock.t == pytest.approx(10, abs=1)
    assert done.evicted == ()
    (left,) = done.left
    assert "shop/a is kept by the PodDisruptionBudget shop/never" in left
    assert "allowed: 0" in left


def test_it_ends_when_whoever_started_it_has_died() -> None:
    server = MemoryServer(dict([CORDONED, pod("a"), budget("never", allowed=0)]))
    server.evictions["a"] = [429]
    clock = Time()
    drain(server.api, node="w1", deadline_s=60, clock=clock, keep_on=lambda: clock.t < 2)
    assert clock.t < 3


def test_it_ends_when_the_node_is_uncordoned() -> None:
    """Undone by a guardian, while the harness that would have ended it is gone."""
    node = {"metadata": {"name": "w1"}, "spec": {"unschedulable": True}}
    server = MemoryServer(dict([pod("a"), budget("b", allowed=0), ("/api/v1/nodes/w1", node)]))
    server.evictions["a"] = [429]

    class Undone(Time):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            if self.t >= 2:
                node["spec"].clear()
                server.evictions["a"] = [201]

    clock = Undone()
    done = drain(server.api, node="w1", deadline_s=60, clock=clock)
    assert clock.t < 3
    assert done.evicted == ()
    assert len(done.left) == 1


def test_a_node_that_is_not_cordoned_loses_nothing() -> None:
    node = {"metadata": {"name": "w1"}, "spec": {}}
    server = MemoryServer(dict([pod("a"), ("/api/v1/nodes/w1", node)]))
    assert drain(server.api, node="w1", deadline_s=60, clock=Time()).evicted == ()
    assert evictions(server) == []


def test_an_api_that_never_answers_is_an_error_and_not_a_drained_node() -> None:
    server = MemoryServer()
    server.down = True
    with pytest.raises(DriverError):
        drain(server.api, node="w1", deadline_s=3, clock=Time())


def test_two_budgets_over_one_pod_are_both_named() -> None:
    server = MemoryServer(dict([pod("a"), budget("x", allowed=1), budget("y", allowed=1)]))
    (left,) = stuck(server.api, "w1")
    assert "shop/x" in left
    assert "shop/y" in left


def test_a_pod_that_nobody_keeps_is_told_apart() -> None:
    server = MemoryServer(dict([pod("a"), budget("b", allowed=1)]))
    assert stuck(server.api, "w1") == ["shop/a has not been evicted, and no budget forbids it"]


def test_budgets_of_other_namespaces_do_not_count() -> None:
    server = MemoryServer(dict([pod("a"), budget("b", allowed=0, namespace="other")]))
    assert "no budget forbids it" in stuck(server.api, "w1")[0]


@pytest.mark.parametrize(
    ("selector", "matches"),
    [
        ({"matchLabels": {"app": "web"}}, True),
        ({"matchLabels": {"app": "db"}}, False),
        ({}, True),
        (None, False),
        ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["web"]}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]}, False),
        ({"matchExpressions": [{"key": "tier", "operator": "Exists"}]}, False),
        ({"matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]}, True),
    ],
)
def test_selectors(selector: dict[str, object] | None, matches: bool) -> None:
    assert selects(selector, {"app": "web"}) is matches


def test_kubelet_s_own_events_are_counted() -> None:
    path = "/api/v1/namespaces/default/events/"
    about = {"metadata": {"name": "e"}, "involvedObject": {"name": "w1"}}
    server = MemoryServer(
        {
            f"{path}1": {**about, "reason": "NodeNotSchedulable", "count": 3},
            f"{path}2": {**about, "reason": "NodeSchedulable", "count": 9},
        }
    )
    assert noticed_cordons(server.api, "w1") == 3
    assert noticed_cordons(server.api, "w2") == 0
