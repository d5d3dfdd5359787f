"""What a fault costs who asks the service under watch at a node's port, and how long a drain takes.

The way: a node's kube-proxy → a pod of the service; to look a name up, from there → CoreDNS.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from quorate.harness.model import service
from quorate.harness.model.touch import Part, Way
from quorate.harness.predict.cluster_facts import (
    DNS_PODS,
    SERVICE_PODS,
    ClusterFacts,
    Unpredicted,
    pods_on,
)
from quorate.harness.predict.facts import PodFacts
from quorate.harness.predict.formulas import ENDPOINTS_S, RELIST_S, Bound
from quorate.harness.predict.parts import NODE, Parts
from quorate.harness.predict.situation import Asked, Cost, Situation

PATH = "service"
LOOKUPS = ("dns_resolution",)
"""Probes whose answer needs CoreDNS too."""

PODS = "endpoints"
"""The component that takes a pod out of everybody's way."""

DNS_SELECTOR = ("kube-system", "k8s-app=kube-dns")
SERVICE_SELECTOR = (service.NAMESPACE, service.SELECTOR)


def service_costs(situation: Situation, asked: Asked, facts: ClusterFacts) -> list[Cost]:
    """One for each kind of pods on the way that is touched; none of them: it costs nothing.

    Raises Unpredicted where no honest bound can be given.
    """
    if situation.touch.part not in (Part.MACHINE, Part.PODS, Part.KUBELET, Part.CONTAINER_RUNTIME):
        return []
    if situation.touches(Part.MACHINE) and asked.entry in situation.nodes:
        raise Unpredicted(f"the probe's own way leads through {asked.entry}")
    ways = [(SERVICE_PODS, SERVICE_SELECTOR)]
    if asked.probe in LOOKUPS:
        ways.append((DNS_PODS, DNS_SELECTOR))
    path = ServicePath(situation, facts)
    costs = [path.cost(what, selector=selector) for what, selector in ways]
    return [one for one in costs if one is not None]


@dataclass(frozen=True)
class ServicePath:
    """Some ready pods of several, on the faulted nodes."""

    situation: Situation
    facts: ClusterFacts

    def cost(self, what: str, *, selector: tuple[str, str]) -> Cost | None:
        """What it costs that these pods are touched; None where none of them is."""
        pods = [pod for pod in self.facts.pods_of(what) if pod.ready]
        hit = [pod for pod in pods if self._is_hit(pod, selector=selector)]
        if not pods:
            raise Unpredicted(f"{what}: none is ready")
        if not hit:
            return None
        if len(hit) == len(pods):
            raise Unpredicted(self._nobody_left(what, hit))
        share = f"{len(hit)} in {len(pods)} new connections"
        touch = self.situation.touch
        if touch.part in (Part.KUBELET, Part.CONTAINER_RUNTIME):
            text = "the pods serve on; others serve when the node is no longer Ready"
            return Cost(PODS, Bound(0.0, 0.0, text))
        if touch.part is Part.PODS and touch.way is Way.LEFT:
            return Cost(PODS, _evicted(hit, share=share))
        if touch.part is Part.PODS:
            text = f"{share}, until kubelet sees it (up to {RELIST_S:g} s) and all nodes have heard"
            high_s = RELIST_S + ENDPOINTS_S
            return Cost(PODS, Bound(0.0, high_s, f"{text} (up to {ENDPOINTS_S:g} s)"))
        return self._node_gone(share)

    def _is_hit(self, pod: PodFacts, *, selector: tuple[str, str]) -> bool:
        meant = self.situation.touch.pods
        return pod.node in self.situation.nodes and meant in (None, selector)

    def _node_gone(self, share: str) -> Cost:
        if not self.situation.machine_gone:
            raise Unpredicted("when a machine that goes in order ends its pods is not declared")
        given_up = Parts(self.situation, self.facts).node()
        assert given_up is not None
        text = f"{share}, until {given_up.formula}, and all nodes have heard"
        bound = Bound(0.0, given_up.high_s + ENDPOINTS_S, f"{text} (up to {ENDPOINTS_S:g} s)")
        return Cost(NODE, bound)

    def _nobody_left(self, what: str, hit: Sequence[PodFacts]) -> str:
        """Why there is no bound where every pod is touched."""
        others = f"{what}: all {len(hit)} of them are touched"
        if self.situation.machine_gone:
            kept = [pod.unreachable_s for pod in hit if pod.unreachable_s is not None]
            seconds = f"{min(kept):g} s" if kept else "ever"
            return f"{others}, and each is kept on its node for {seconds} after that is given up"
        if self.situation.touch.part in (Part.KUBELET, Part.CONTAINER_RUNTIME):
            return f"{others}; they serve until the node is no longer Ready"
        return f"{others}; how long another one takes to start is in no configuration"


def drained(situation: Situation, facts: ClusterFacts) -> Bound:
    """From the act until no pod that is to go is left: each needs its preStop, at most its grace.

    Raises Unpredicted where the pods are not known, or where a budget makes one wait.
    """
    going = [pod for node in situation.nodes for pod in facts.pods_of(pods_on(node)) if pod.leaves]
    if not going:
        raise Unpredicted("no pod is known on the node that a drain would move")
    _demand_budgets(going)
    low_s = max(min(pod.pre_stop_s or 0.0, pod.grace_s) for pod in going)
    slowest = max(going, key=lambda pod: pod.grace_s)
    return Bound(
        low_s=low_s,
        high_s=slowest.grace_s + RELIST_S,
        formula=(
            f"{len(going)} pod(s), none waits for a budget: from the longest preStop, {low_s:g} s, "
            f"to the longest grace period, {slowest.grace_s:g} s ({slowest.name}), and up to "
            f"{RELIST_S:g} s until kubelet sees it"
        ),
    )


def _demand_budgets(going: Sequence[PodFacts]) -> None:
    """Raises Unpredicted where more pods go than a budget allows at once."""
    counts = Counter(name for pod in going for name, _ in pod.budgets)
    for name, allowed in {budget for pod in going for budget in pod.budgets}:
        if counts[name] > allowed:
            raise Unpredicted(
                f"the budget {name} allows {allowed} eviction(s) now and {counts[name]} pod(s) "
                "are to go: how long another one takes to be ready is in no configuration"
            )


def _evicted(hit: Sequence[PodFacts], *, share: str) -> Bound:
    """A pod that is evicted serves on for its preStop; by then nobody must send to it."""
    serves = [pod.pre_stop_s for pod in hit]
    if None in serves:
        raise Unpredicted("how long the preStop of a pod lasts cannot be read")
    serves_s = min(one for one in serves if one is not None)
    late_s = max(0.0, ENDPOINTS_S - serves_s)
    text = f"preStop {serves_s:g} s, and all nodes have heard within {ENDPOINTS_S:g} s"
    return Bound(0.0, late_s, f"{share}: {text}" if late_s else text)
