"""States from reports: unknown is never good, silence voids, one holder is the right number."""

from __future__ import annotations

import pytest

from quorate.harness.drivers.follower import Report
from quorate.harness.model.cluster import Cluster
from quorate.harness.run.components import (
    ANEW,
    FOLLOWER,
    HEARD_AGAIN,
    SILENT_S,
    Components,
    Key,
    expected_components,
)

NODES = ("cp1", "cp2", "cp3")


def fact(t: float, source: str, component: str, state: str, **more: object) -> Report:
    return Report(round(t * 1e9), source, "fact", component=component, state=state, **more)  # type: ignore[arg-type]


def beat(t: float, source: str) -> Report:
    return Report(round(t * 1e9), source, "beat")


def everything_good(components: Components, *, t: float = 0.0) -> None:
    """What a whole cluster reports, cp1 in the lead."""
    for node in NODES:
        components.take(fact(t, node, "vip", "held" if node == "cp1" else "absent"))
        components.take(fact(t, node, "raft", "leads" if node == "cp1" else "follows"))
        for component in ("etcd", "haproxy", "keepalived"):
            components.take(fact(t, node, component, "fine", node=node, good=True))
        for server in NODES:
            components.take(
                fact(t, node, "haproxy_backend", "UP", node=node, server=server, good=True)
            )
        components.take(fact(t, f"api:{node}", "apiserver", "ready", node=node, good=True))
    for node in (*NODES, "w1"):
        components.take(fact(t, "nodes", "node", "Ready", node=node, good=True))


def test_a_whole_cluster_misses_nothing(cluster: Cluster) -> None:
    components = Components(cluster)
    assert len(components.missing()) == len(expected_components(cluster)), "nothing is known yet"
    everything_good(components)
    assert components.missing() == ()
    assert (components.vip_holder, components.etcd_leader) == ("cp1", "cp1")


@pytest.mark.parametrize("component", ["etcd", "haproxy", "keepalived"])
def test_each_component_counts(cluster: Cluster, component: str) -> None:
    components = Components(cluster)
    everything_good(components)
    changed = components.take(fact(1, "cp2", component, "gone", node="cp2", good=False))
    assert [(one.key, one.good, one.t) for one in changed] == [(Key(component, "cp2"), False, 1.0)]
    assert components.missing() == (f"{component} cp2: gone",)


def test_nothing_changes_without_a_change(cluster: Cluster) -> None:
    components = Components(cluster)
    everything_good(components)
    assert components.take(fact(1, "cp2", "etcd", "fine", node="cp2", good=True)) == []


def test_a_silent_node_is_unknown_and_unknown_is_not_good(cluster: Cluster) -> None:
    components = Components(cluster)
    everything_good(components)
    for node in ("cp2", "cp3"):
        components.take(beat(SILENT_S, node))
    voided = components.tick(SILENT_S + 0.1)
    assert {one.key.node for one in voided if one.key.component == "etcd"} == {"cp1"}
    assert all(one.good is not True for one in voided)
    assert "haproxy cp1: unknown" in components.missing()
    assert components.vip_holder is None


def test_a_lost_stream_voids_at_once(cluster: Cluster) -> None:
    components = Components(cluster)
    everything_good(components)
    components.take(Report(10**8, "cp3", "lost"))
    assert "keepalived cp3: unknown" in components.missing()
    assert components.vip_holder == "cp1", "cp3 did not hold it"


def test_a_new_holder_outruns_one_that_fell_silent(cluster: Cluster) -> None:
    components = Components(cluster)
    everything_good(components)
    components.take(beat(1.5, "cp2"))
    moved = components.take(fact(1.5, "cp2", "vip", "held"))
    assert [(one.node, one.good) for one in moved] == [("cp2", True)]


def test_two_that_both_speak_are_two_holders(cluster: Cluster) -> None:
    components = Components(cluster)
    everything_good(components)
    components.take(beat(1.4, "cp1"))
    moved = components.take(fact(1.5, "cp2", "vip", "held"))
    assert [(one.node, one.good, one.state) for one in moved] == [
        (None, False, "several: cp1, cp2")
    ]
    assert components.vip_holder is None


def test_backends_are_told_apart_by_who_sees_them(cluster: Cluster) -> None:
    components = Components(cluster)
    everything_good(components)
    components.take(fact(1, "cp2", "haproxy_backend", "DOWN", node="cp2", server="cp1", good=False))
    assert components.missing() == ("HAProxy backend cp1 as seen by cp2: DOWN",)


def test_after_an_arrangement_less_is_demanded(cluster: Cluster) -> None:
    components = Components(cluster)
    everything_good(components)
    components.take(fact(1, "cp2", "keepalived", "inactive", node="cp2", good=False))
    components.demand(components.good())
    assert components.missing() == ()
    components.take(fact(2, "cp1", "keepalived", "inactive", node="cp1", good=False))
    assert components.missing() == ("keepalived cp1: inactive",)
    assert components.nodes_good("keepalived") == {"cp3"}


@pytest.mark.parametrize(("kind", "state"), [("beat", HEARD_AGAIN), ("hello", ANEW)])
def test_how_a_silent_one_was_heard_again_is_a_fact(
    cluster: Cluster, kind: str, state: str
) -> None:
    components = Components(cluster)
    everything_good(components)
    fell = [one for one in components.tick(SILENT_S + 0.1) if one.key == Key(FOLLOWER, "cp2")]
    again = components.take(Report(round(3e9), "cp2", kind))
    assert [(one.state, one.good) for one in fell] == [("silent", None)]
    assert [(one.key, one.state, one.good, one.t) for one in again] == [
        (Key(FOLLOWER, "cp2"), state, None, 3.0)
    ]
    assert components.take(beat(3.5, "cp2")) == []
