"""The cluster's DNS."""

from __future__ import annotations

from collections.abc import Iterator

from quorate.harness.audit.costs import withdrawn
from quorate.harness.audit.facts import AuditFacts, Pod
from quorate.harness.audit.rule import BLOCKING, WARNING, Found, rule

APART = "spread CoreDNS: topologySpreadConstraints by kubernetes.io/hostname, or restart it"


def _ready(facts: AuditFacts) -> list[Pod]:
    return [one for one in facts.dns.pods if one.ready] if facts.dns else []


@rule(
    "coredns-single-replica",
    BLOCKING,
    "fewer than two pods of CoreDNS are ready",
    cost="until the machine of the only pod is given up, and its endpoint with it",
    fix="kubectl -n kube-system scale deployment coredns --replicas=2",
)
def single(facts: AuditFacts) -> Iterator[Found]:
    if facts.dns is not None and len(_ready(facts)) < 2:
        said = f"replicas {facts.dns.replicas}, {len(_ready(facts))} ready"
        title = "every name that is not cached depends on one pod at most"
        yield Found(facts.dns.name, title, facts.dns.path, said, withdrawn(facts.configuration))


@rule(
    "coredns-on-one-node",
    BLOCKING,
    "all pods of CoreDNS are on one machine",
    cost="until that machine is given up, and the endpoints with it",
    fix=APART,
)
def on_one_node(facts: AuditFacts) -> Iterator[Found]:
    nodes = {one.node for one in _ready(facts)}
    if facts.dns is not None and len(_ready(facts)) > 1 and len(nodes) == 1:
        said = f"{len(_ready(facts))} pods on {', '.join(nodes)}"
        title = "all of its pods go with one machine"
        yield Found(facts.dns.name, title, facts.dns.path, said, withdrawn(facts.configuration))


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
