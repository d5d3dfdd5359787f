"""Deployments and StatefulSets, and the budgets over them. CoreDNS has rules of its own."""

from __future__ import annotations

from collections.abc import Iterator

from quorate.harness.audit.costs import moved
from quorate.harness.audit.facts import AuditFacts, Workload
from quorate.harness.audit.rule import BLOCKING, WARNING, Found, rule


def _several(facts: AuditFacts) -> Iterator[Workload]:
    return (one for one in facts.workloads if one.replicas > 1)


@rule(
    "workload-single-replica",
    WARNING,
    "one replica: its machine's loss is its outage",
    cost="until its pod serves on another machine",
    fix="two replicas or more, on different machines",
)
def single(facts: AuditFacts) -> Iterator[Found]:
    for one in facts.workloads:
        if one.replicas == 1:
            cost = moved(one.pods, facts.configuration) if one.kind == "Deployment" else None
            title = "runs once: when its machine is gone, so is it"
            yield Found(one.name, title, one.path, "replicas 1", cost)


@rule(
    "workload-co-located",
    WARNING,
    "all replicas are on one machine",
    cost="until they serve on other machines",
    fix="topologySpreadConstraints by kubernetes.io/hostname, whenUnsatisfiable DoNotSchedule",
)
def co_located(facts: AuditFacts) -> Iterator[Found]:
    for one in _several(facts):
        ready = [pod for pod in one.pods if pod.ready]
        nodes = {pod.node for pod in ready}
        if len(ready) > 1 and len(nodes) == 1:
            cost = moved(ready, facts.configuration) if one.kind == "Deployment" else None
            said = f"{len(ready)} pods on {', '.join(nodes)}"
            yield Found(one.name, "all of its replicas go with one machine", one.path, said, cost)


@rule(
    "workload-not-spread",
    WARNING,
    "nothing asks for its replicas to be apart: neither anti-affinity nor topology spread",
    fix="topologySpreadConstraints by kubernetes.io/hostname",
)
def not_spread(facts: AuditFacts) -> Iterator[Found]:
    for one in _several(facts):
        if not one.apart:
            title = "its replicas may share one machine"
            said = "no podAntiAffinity, no topologySpreadConstraints"
            yield Found(one.name, title, one.path, said)


@rule(
    "workload-without-readiness",
    WARNING,
    "a container without readinessProbe: it is sent to before it serves",
    fix="a readinessProbe that asks what clients ask",
)
def without_readiness(facts: AuditFacts) -> Iterator[Found]:
    for one in facts.workloads:
        if one.replicas and one.unprobed:
            said = f"no readinessProbe in {', '.join(one.unprobed)}"
            yield Found(one.name, "is sent to before it can answer", one.path, said)


@rule(
    "workload-left-for-ever",
    WARNING,
    "it tolerates an unreachable machine without end: its pods are never moved",
    fix="tolerationSeconds for node.kubernetes.io/unreachable and not-ready",
)
def left_for_ever(facts: AuditFacts) -> Iterator[Found]:
    for one in facts.workloads:
        if one.pods and all(pod.unreachable_s is None for pod in one.pods):
            title = "its pods stay on a machine that is gone"
            said = "tolerates node.kubernetes.io/unreachable without tolerationSeconds"
            yield Found(one.name, title, one.path, said)


@rule(
    "workload-without-budget",
    WARNING,
    "several replicas and no PodDisruptionBudget: drains may take all of them at once",
    fix="a PodDisruptionBudget with maxUnavailable 1",
)
def without_budget(facts: AuditFacts) -> Iterator[Found]:
    for one in _several(facts):
        if not one.budgets:
            title = "no budget keeps a replica through drains"
            yield Found(one.name, title, one.path, "no PodDisruptionBudget")


@rule(
    "workload-under-two-budgets",
    BLOCKING,
    "two PodDisruptionBudgets over one pod: its eviction is an error, and a drain never ends",
    fix="one budget over each pod",
)
def two_budgets(facts: AuditFacts) -> Iterator[Found]:
    for one in facts.workloads:
        if len(one.budgets) > 1:
            said = f"PodDisruptionBudgets {', '.join(one.budgets)}"
            yield Found(one.name, "its pods cannot be evicted", one.path, said)


@rule(
    "pdb-allows-none",
    BLOCKING,
    "a PodDisruptionBudget that allows no disruption: a drain waits without end",
    fix="maxUnavailable 1; or make its pods ready again, where some are not",
)
def allows_none(facts: AuditFacts) -> Iterator[Found]:
    for one in facts.budgets:
        if one.expected and one.allowed < 1:
            where = f"PodDisruptionBudget {one.name}"
            said = f"{one.says}; {one.healthy} of {one.expected} healthy, {one.desired} needed"
            title = "allows no eviction now: a drain waits without end"
            yield Found(one.name, title, where, said)


RULES = (
    single,
    co_located,
    not_spread,
    without_readiness,
    left_for_ever,
    without_budget,
    two_budgets,
    allows_none,
)
