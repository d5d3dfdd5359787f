"""When the pods that a fault hits should serve again, from the cluster's timers."""

from __future__ import annotations

from collections.abc import Sequence

from quorate.harness.model import service
from quorate.harness.model.touch import Part, Way
from quorate.harness.predict.cluster_facts import SERVICE_PODS, ClusterFacts, Unpredicted
from quorate.harness.predict.facts import PodFacts
from quorate.harness.predict.formulas import ENDPOINTS_S, RELIST_S, Bound
from quorate.harness.predict.parts import Parts
from quorate.harness.predict.situation import Situation

STARTS_S = 5.0
"""From a pod's creation until it is ready: the startup SLO's 99th percentile, without image pull
(reference/timings_and_slos.md §1.4, W3 and W7)."""

HALTS, HALTS_LEAST = 0.55, 3
"""Where so many nodes are not Ready, at least this share of them all, nothing is evicted any more
(node_lifecycle_controller.go, of clusters up to 50 nodes; ibid., W10)."""

OWNER = f"{service.NAMESPACE}/{service.NAME}"
"""The only owner whose pods' tolerations are read."""


def rescheduled(owner: str, situation: Situation, facts: ClusterFacts) -> Bound:
    """From the fault until all pods of the service under watch that it hits serve again.

    A machine that is gone: node given up + tolerationSeconds + create, schedule, start (up to
    STARTS_S) + endpoints (up to ENDPOINTS_S). Evicted: start + endpoints. Killed: kubelet's look
    (up to RELIST_S) + start + endpoints. Raises Unpredicted.
    """
    if owner != OWNER:
        raise Unpredicted(f"the tolerations of the pods of {owner} are not read")
    pods = [pod for pod in facts.pods_of(SERVICE_PODS) if pod.ready]
    hit = [pod for pod in pods if pod.node in situation.nodes]
    if not hit:
        raise Unpredicted("no pod of it is on the target")
    if situation.machine_gone:
        return _node_gone(hit, situation, facts)
    if situation.touches(Part.PODS, Way.LEFT):
        _demand_budgets(hit)
        return started("evicted at once", 0.0, 0.0)
    if situation.touches(Part.PODS, Way.ENDED):
        if situation.touch.pods not in (None, (service.NAMESPACE, service.SELECTOR)):
            raise Unpredicted("no pod of it is meant")
        return started(f"kubelet sees it within {RELIST_S:g} s", 0.0, RELIST_S)
    raise Unpredicted("whether its pods are moved is not predicted of this fault")


def _node_gone(hit: Sequence[PodFacts], situation: Situation, facts: ClusterFacts) -> Bound:
    count = len(situation.nodes)
    if count >= HALTS_LEAST and count / len(situation.cluster.nodes) >= HALTS:
        raise Unpredicted(f"with {count} nodes not Ready Kubernetes evicts nothing any more")
    given_up = Parts(situation, facts).node()
    assert given_up is not None
    left = [pod.unreachable_s for pod in hit if pod.unreachable_s is not None]
    if len(left) < len(hit):
        raise Unpredicted("a pod of it is left for ever on a node that is unreachable")
    first = f"{given_up.formula}; + tolerationSeconds {max(left):g} s"
    return started(first, given_up.low_s + max(left), given_up.high_s + max(left))


def started(first: str, low_s: float, high_s: float) -> Bound:
    """What follows on `first`, whose range is given: pods start, and become endpoints."""
    return Bound(
        low_s,
        high_s + STARTS_S + ENDPOINTS_S,
        f"{first}; + up to {STARTS_S:g} s to start (SLO) and {ENDPOINTS_S:g} s to be an endpoint",
    )


def _demand_budgets(hit: Sequence[PodFacts]) -> None:
    for name, allowed in {budget for pod in hit for budget in pod.budgets}:
        if len(hit) > allowed:
            raise Unpredicted(
                f"the budget {name} allows {allowed} eviction(s) now and {len(hit)} pod(s) are to "
                "go: each waits until another one is ready"
            )
