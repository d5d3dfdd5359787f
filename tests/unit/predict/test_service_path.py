"""What faults cost who asks the service under watch, and how long a drain takes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from quorate.harness.model.touch import Part, Touch, Way
from quorate.harness.predict.cluster_facts import (
    DNS_PODS,
    SERVICE_PODS,
    ClusterFacts,
    Unpredicted,
    pods_on,
)
from quorate.harness.predict.facts import LifecycleFacts, PodFacts
from quorate.harness.predict.service_path import (
    DNS_SELECTOR,
    SERVICE_SELECTOR,
    drained,
    service_costs,
)
from quorate.harness.predict.situation import Asked, Situation
from tests.unit.predict.conftest import CONTROL_PLANES, DNS, WEB, Strikes, pods


def cost(situation: Situation, facts: ClusterFacts, asked: Asked = WEB) -> tuple[float, float]:
    bounds = [one.bound for one in service_costs(situation, asked, facts)]
    return (
        max((one.low_s for one in bounds), default=0.0),
        max((one.high_s for one in bounds), default=0.0),
    )


def with_pods(facts: ClusterFacts, what: str, *found: PodFacts) -> ClusterFacts:
    return replace(facts, pods={**facts.pods, what: found})


def killed(strikes: Strikes, node: str, selector: tuple[str, str]) -> Situation:
    touch = Touch(Part.PODS, Way.ENDED, selector)
    return replace(strikes(Part.PODS, Way.ENDED, node), touch=touch)


def test_pods_that_are_killed(strikes: Strikes, facts: ClusterFacts) -> None:
    ours = killed(strikes, "w2", SERVICE_SELECTOR)
    assert cost(ours, facts) == (0.0, 3.0), "1 s until kubelet sees it, 2 s for all nodes"
    assert cost(killed(strikes, "cp1", SERVICE_SELECTOR), facts) == (0.0, 0.0), "none runs there"
    names = killed(strikes, "w2", DNS_SELECTOR)
    assert cost(names, facts) == (0.0, 0.0), "asked by address"
    assert cost(names, facts, DNS) == (0.0, 3.0)


def test_the_last_replica_has_no_bound(strikes: Strikes, facts: ClusterFacts) -> None:
    alone = with_pods(facts, SERVICE_PODS, *pods("web", "w2"))
    with pytest.raises(Unpredicted, match="all 1 of them"):
        cost(killed(strikes, "w2", SERVICE_SELECTOR), alone)
    one_dns = with_pods(facts, DNS_PODS, *pods("coredns", "w2"))
    with pytest.raises(Unpredicted, match="pods of CoreDNS: all 1"):
        cost(killed(strikes, "w2", DNS_SELECTOR), one_dns, DNS)
    unready = with_pods(facts, SERVICE_PODS, *pods("web", "w1", ready=False))
    with pytest.raises(Unpredicted, match="none is ready"):
        cost(killed(strikes, "w2", SERVICE_SELECTOR), unready)


def test_a_worker_without_power(strikes: Strikes, facts: ClusterFacts) -> None:
    gone = strikes(Part.MACHINE, Way.SILENT, "w2")
    assert cost(gone, facts) == (0.0, 57.0)  # §1.4 W2: 40 to 57 s, for a share
    quick = dict.fromkeys(CONTROL_PLANES, LifecycleFacts(20.0, 2.0))
    assert cost(gone, replace(facts, lifecycle=quick)) == (0.0, 24.0)
    unknown = dict.fromkeys(CONTROL_PLANES, LifecycleFacts(None))
    with pytest.raises(Unpredicted, match="node-monitor-grace-period"):
        cost(gone, replace(facts, lifecycle=unknown))
    with pytest.raises(Unpredicted, match="leads through w1"):
        cost(strikes(Part.MACHINE, Way.SILENT, "w1"), facts)
    together = with_pods(facts, SERVICE_PODS, *pods("web", "w2", "w2", unreachable_s=300.0))
    with pytest.raises(Unpredicted, match="kept on its node for 300 s"):
        cost(gone, together)


def test_a_machine_that_also_led_the_controllers(strikes: Strikes, facts: ClusterFacts) -> None:
    on_cp = with_pods(facts, SERVICE_PODS, *pods("web", "cp3", "w2"))
    led = {"kube-controller-manager": "cp3"}
    gone = strikes(Part.MACHINE, Way.SILENT, "cp3", lease_holders=led)
    assert cost(gone, on_cp) == pytest.approx((0.0, 23.8 + 55.0 + 2.0)), "counted anew"


@pytest.mark.parametrize("part", [Part.KUBELET, Part.CONTAINER_RUNTIME])
def test_pods_serve_on_without_kubelet(strikes: Strikes, facts: ClusterFacts, part: Part) -> None:
    assert cost(strikes(part, Way.LEFT, "w2"), facts) == (0.0, 0.0)
    with pytest.raises(Unpredicted, match="serve until the node is no longer Ready"):
        cost(strikes(part, Way.LEFT, "w2"), with_pods(facts, SERVICE_PODS, *pods("web", "w2")))


def test_a_drain_costs_what_pre_stop_does_not_cover(strikes: Strikes, facts: ClusterFacts) -> None:
    struck = strikes(Part.PODS, Way.LEFT, "w2")
    assert cost(struck, facts) == (0.0, 0.0)
    bare = with_pods(facts, SERVICE_PODS, *pods("web", "w1", "w2", pre_stop_s=0.0))
    assert cost(struck, bare) == (0.0, 2.0)
    short = with_pods(facts, SERVICE_PODS, *pods("web", "w1", "w2", pre_stop_s=0.5))
    assert cost(struck, short) == (0.0, 1.5)
    unknown = with_pods(facts, SERVICE_PODS, *pods("web", "w1", "w2", pre_stop_s=None))
    with pytest.raises(Unpredicted, match="preStop"):
        cost(struck, unknown)


@pytest.mark.parametrize("part", [Part.VIP, Part.APISERVER, Part.ETCD, Part.SCHEDULER])
def test_the_service_does_not_need_the_control_plane(
    strikes: Strikes, facts: ClusterFacts, part: Part
) -> None:
    assert service_costs(strikes(part, Way.ENDED, "cp1"), WEB, facts) == []


def test_how_long_a_drain_takes(strikes: Strikes, facts: ClusterFacts) -> None:
    struck = strikes(Part.PODS, Way.LEFT, "w2")
    ours = PodFacts("ns/web", "w2", pre_stop_s=5.0, grace_s=8.0, budgets=(("ns/web", 1),))
    found = drained(struck, with_pods(facts, pods_on("w2"), ours))
    assert (found.low_s, found.high_s) == (5.0, 9.0)  # measured on the lab: 7.4 and 7.9 s
    stays = PodFacts("ns/ds", "w2", leaves=False, grace_s=100.0)
    slow = PodFacts("ns/dns", "w2", grace_s=30.0)
    found = drained(struck, with_pods(facts, pods_on("w2"), ours, stays, slow))
    assert (found.low_s, found.high_s) == (5.0, 31.0)
    assert "ns/dns" in found.formula


def test_a_budget_makes_a_drain_as_long_as_it_likes(strikes: Strikes, facts: ClusterFacts) -> None:
    struck = strikes(Part.PODS, Way.LEFT, "w2")
    for allowed, count in ((0, 1), (1, 2)):
        found = [PodFacts(f"ns/{n}", "w2", budgets=(("ns/b", allowed),)) for n in range(count)]
        with pytest.raises(Unpredicted, match=f"ns/b allows {allowed}"):
            drained(struck, with_pods(facts, pods_on("w2"), *found))
    with pytest.raises(Unpredicted, match="pods on w2 were not read"):
        drained(struck, facts)
    with pytest.raises(Unpredicted, match="no pod is known"):
        drained(struck, with_pods(facts, pods_on("w2")))
