"""When each component has settled, which the judge holds against the facts of a run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from quorate.harness.model.touch import Part, Way
from quorate.harness.predict.cluster_facts import ClusterFacts
from quorate.harness.predict.facts import ElectionFacts
from quorate.harness.predict.formulas import Bound
from quorate.harness.predict.parts import Parts
from quorate.harness.predict.situation import Situation
from tests.unit.predict.conftest import CONTROL_PLANES, Strikes


def settled(situation: Situation, facts: ClusterFacts) -> dict[str, tuple[float, float] | str]:
    return {
        name: (round(one.low_s, 2), round(one.high_s, 2)) if isinstance(one, Bound) else one
        for name, one in Parts(situation, facts).settled()
    }


def test_a_machine_without_power(strikes: Strikes, facts: ClusterFacts) -> None:
    gone = strikes(Part.MACHINE, Way.SILENT, "cp1", etcd_leader="cp1")
    assert settled(gone, facts) == {
        "vip": (2.61, 3.61),
        "haproxy_backend": (1.5, 2.5),
        "etcd_leader": (0.9, 2.5),
        "node": (40.0, 55.0),
    }
    assert settled(strikes(Part.MACHINE, Way.LEFT, "cp1"), facts) == {}


@pytest.mark.parametrize(
    ("part", "way", "lost", "expected"),
    [
        (Part.KEEPALIVED, Way.LEFT, [], {"vip": (0.61, 0.61)}),
        (Part.VIP, Way.SILENT, [], {"vip": (2.61, 3.61)}),
        (Part.BALANCER, Way.HUNG, [], {"vip": (1.61, 3.61)}),
        (Part.APISERVER, Way.HUNG, [], {"haproxy_backend": (1.5, 2.5)}),
        (Part.APISERVER, Way.ENDED, [], {"haproxy_backend": (0.5, 2.5)}),
        (Part.ETCD, Way.HUNG, ["cp1"], {"haproxy_backend": (1.5, 7.5)}),
        (Part.KUBELET, Way.LEFT, [], {"node": (40.0, 55.0)}),
        (Part.BACKEND, Way.LEFT, [], {}),
        (Part.PODS, Way.ENDED, [], {}),
    ],
)
def test_each_component_that_is_touched(
    strikes: Strikes,
    facts: ClusterFacts,
    part: Part,
    way: Way,
    lost: list[str],
    expected: dict[str, tuple[float, float]],
) -> None:
    assert settled(strikes(part, way, "cp1", lost=lost), facts) == expected


def test_a_lease(strikes: Strikes, facts: ClusterFacts) -> None:
    lease = "lease kube-scheduler"
    strikes.holders["kube-scheduler"] = "cp3"
    led = strikes(Part.SCHEDULER, Way.ENDED, "cp3")
    assert settled(led, facts) == {lease: (13.0, 23.8)}
    assert settled(strikes(Part.SCHEDULER, Way.HUNG, "cp1"), facts) == {}, "it does not lead"
    quick = replace(facts, leases_s={"kube-scheduler": 5.0})
    assert settled(led, quick) == {lease: (3.0, 13.8)}
    off = {"kube-scheduler": dict.fromkeys(CONTROL_PLANES, ElectionFacts(elects=False))}
    assert settled(led, replace(facts, elections=off)) == {
        lease: "no other kube-scheduler elects a leader"
    }
    blind = replace(facts, leases_s={}, unread={"kube-scheduler": "no API server answers"})
    assert settled(led, blind) == {lease: "no API server answers"}


def test_what_cannot_be_told_of_one_does_not_hide_the_others(
    strikes: Strikes, facts: ClusterFacts
) -> None:
    blind = replace(facts, keepalived={}, unread={"keepalived.conf of cp2": "cp2: no route"})
    found = settled(strikes(Part.MACHINE, Way.SILENT, "cp1"), blind)
    assert found["vip"] == "cp2: no route"
    assert found["haproxy_backend"] == (1.5, 2.5)
