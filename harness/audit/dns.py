"""The cluster's DNS."""

from __future__ import annotations

from collections.abc import Iterator

from quorate.harness.audit.costs import moved
from quorate.harness.audit.facts import AuditFacts, Pod
from quorate.harness.audit.rule import BLOCKING, WARNING, Found, rule
from quorate.harness.predict.formulas import Bound

APART = "spread CoreDNS: topologySpreadConstraints by kubernetes.io/hostname, or restart it"


def _ready(facts: AuditFacts) -> list[Pod]:
    return [one for one in facts.dns.pods if one.ready] if facts.dns else []


def _moved(facts: AuditFacts) -> Bound | None:
    return moved(_ready(facts), facts.configuration)


@rule(
    "coredns-single-replica",
    BLOCKING,
    "fewer than two pods of CoreDNS are ready",
    cost="when its machine is gone: until it serves on another one",
    fix="kubectl -n kube-system scale deployment coredns --replicas=2",
)
def single(facts: AuditFacts) -> Iterator[Found]:
    if facts.dns is not None and len(_ready(facts)) < 2:
        said = f"replicas {facts.dns.replicas}, {len(_ready(facts))} ready"
        title = "every name that is not cached depends on one pod at most"
        yield Found(facts.dns.name, title, facts.dns.path, said, _moved(facts))


@rule(
    "coredns-on-one-node",
    BLOCKING,
    "all pods of CoreDNS are on one machine",
    cost="when that machine is gone: until they serve on another one",
    fix=APART,
)
def on_one_node(facts: AuditFacts) -> Iterator[Found]:
    nodes = {one.node for one in _ready(facts)}
    if facts.dns is not None and len(_ready(facts)) > 1 and len(nodes) == 1:
        said = f"{len(_ready(facts))} pods on {', '.join(nodes)}"
        title = "all of its pods go with one machine"
        yield Found(facts.dns.name, title, facts.dns.path, said, _moved(facts))


@rule(
    "coredns-without-budget",
    WARNING,
    "no PodDisruptionBudget over CoreDNS (kubeadm makes none): drains may take all of it",
    fix="a PodDisruptionBudget with maxUnavailable 1 over k8s-app=kube-dns",
)
def without_budget(facts: AuditFacts) -> Iterator[Found]:
    if facts.dns is not None and not facts.dns.budgets:
        title = "no budget keeps a pod of it through drains"
        yield Found(facts.dns.name, title, facts.dns.path, "no PodDisruptionBudget")


RULES = (single, on_one_node, without_budget)
