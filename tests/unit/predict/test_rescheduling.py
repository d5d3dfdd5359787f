"""When the pods of the service under watch should serve again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from quorate.harness.model.touch import Part, Touch, Way
from quorate.harness.predict.cluster_facts import SERVICE_PODS, ClusterFacts, Unpredicted
from quorate.harness.predict.facts import LifecycleFacts, PodFacts
from quorate.harness.predict.rescheduling import OWNER, rescheduled
from quorate.harness.predict.situation import Situation
from tests.unit.predict.conftest import CONTROL_PLANES, Strikes, pods


def range_of(situation: Situation, facts: ClusterFacts) -> tuple[float, float]:
    found = rescheduled(OWNER, situation, facts)
    return found.low_s, found.high_s


def with_pods(facts: ClusterFacts, *found: PodFacts) -> ClusterFacts:
    return replace(facts, pods={SERVICE_PODS: found})


def test_a_worker_without_power(strikes: Strikes, facts: ClusterFacts) -> None:
    gone = strikes(Part.MACHINE, Way.SILENT, "w2")
    short = with_pods(facts, *pods("web", "w1", "w2", unreachable_s=5.0))
    assert range_of(gone, short) == (45.0, 67.0)  # measured on the lab: 56.4 s
    usual = with_pods(facts, *pods("web", "w1", "w2", unreachable_s=300.0))
    assert range_of(gone, usual) == (340.0, 362.0)  # §1.4 W3: 342 to 361 s
    quick = replace(short, lifecycle=dict.fromkeys(CONTROL_PLANES, LifecycleFacts(20.0, 2.0)))
    assert range_of(gone, quick) == (15.0, 34.0)
    with pytest.raises(Unpredicted, match="left for ever"):
        rescheduled(OWNER, gone, with_pods(facts, *pods("web", "w2")))


def test_most_machines_at_once_halt_evictions(strikes: Strikes, facts: ClusterFacts) -> None:
    short = with_pods(facts, *pods("web", "w1", "w2", unreachable_s=5.0))
    assert range_of(strikes(Part.MACHINE, Way.SILENT, "w1", "w2", "w3"), short) == (45.0, 67.0)
    with pytest.raises(Unpredicted, match="evicts nothing"):
        rescheduled(OWNER, strikes(Part.MACHINE, Way.SILENT, "w1", "w2", "w3", "cp3"), short)


def test_a_drain_and_its_budget(strikes: Strikes, facts: ClusterFacts) -> None:
    drained = strikes(Part.PODS, Way.LEFT, "w2")
    one = with_pods(facts, *pods("web", "w1", "w2", budgets=(("ns/b", 1),)))
    assert range_of(drained, one) == (0.0, 7.0)
    with pytest.raises(Unpredicted, match="ns/b allows 0"):
        rescheduled(OWNER, drained, with_pods(facts, *pods("web", "w2", budgets=(("ns/b", 0),))))


def test_a_kill(strikes: Strikes, facts: ClusterFacts) -> None:
    killed = strikes(Part.PODS, Way.ENDED, "w2")
    assert range_of(killed, facts) == (0.0, 8.0)
    others = replace(killed, touch=Touch(Part.PODS, Way.ENDED, ("kube-system", "k8s-app=kube-dns")))
    with pytest.raises(Unpredicted, match="no pod of it is meant"):
        rescheduled(OWNER, others, facts)


def test_what_is_not_predicted_is_said(strikes: Strikes, facts: ClusterFacts) -> None:
    with pytest.raises(Unpredicted, match="no pod of it is on the target"):
        rescheduled(OWNER, strikes(Part.PODS, Way.LEFT, "cp1"), facts)
    with pytest.raises(Unpredicted, match="of shop/web are not read"):
        rescheduled("shop/web", strikes(Part.PODS, Way.LEFT, "w2"), facts)
    with pytest.raises(Unpredicted, match="not predicted of this fault"):
        rescheduled(OWNER, strikes(Part.KUBELET, Way.LEFT, "w2"), facts)
