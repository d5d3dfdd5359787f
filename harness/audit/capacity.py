"""Whether what is left can run everything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from quorate.harness.audit.facts import Amounts, AuditFacts, NodeObject, Pod
from quorate.harness.audit.rule import BLOCKING, WARNING, Found, rule
from quorate.harness.model.cluster import Role

UNITS = {"cpu": ("cores", 1.0), "memory": ("GiB", float(1024**3)), "pods": ("pods", 1.0)}


def _workers(facts: AuditFacts) -> list[NodeObject]:
    return [one for one in facts.nodes or () if one.works]


def _smallest_first(nodes: Iterable[NodeObject], name: str) -> list[NodeObject]:
    return sorted(nodes, key=lambda one: one.allocatable.get(name, 0.0))


def _sum(amounts: Iterable[Amounts], name: str) -> float:
    return sum(one.get(name, 0.0) for one in amounts)


def _asked(pods: Iterable[Pod], name: str) -> float:
    listed = list(pods)
    return float(len(listed)) if name == "pods" else _sum((one.requests for one in listed), name)


@rule(
    "capacity-one-worker",
    BLOCKING,
    "fewer than two machines take pods",
    fix="two schedulable workers or more",
)
def one_worker(facts: AuditFacts) -> Iterator[Found]:
    if facts.nodes is not None and len(_workers(facts)) < 2:
        said = ", ".join(one.name for one in _workers(facts)) or "none"
        title = "when it is gone nothing can be moved"
        yield Found("workers", title, "Node, spec.taints and unschedulable", said)


@rule(
    "capacity-short-without-largest",
    BLOCKING,
    "what pods request does not fit once the largest machine is lost",
    fix="another worker, or smaller requests",
)
def short(facts: AuditFacts) -> Iterator[Found]:
    """Sums only: what fits as a sum may still fit nowhere as a whole."""
    workers = _workers(facts)
    if len(workers) < 2 or facts.pods is None:
        return
    names = {one.name for one in workers}
    for name, (unit, scale) in UNITS.items():
        *left, largest = _smallest_first(workers, name)
        room = _sum((one.allocatable for one in left), name)
        stays = {one.name for one in left}
        moving = [one for one in facts.pods if one.moves and one.node in names | {""}]
        fixed = [one for one in facts.pods if not one.moves and one.node in stays]
        asked = _asked(moving, name) + _asked(fixed, name)
        if asked > room:
            title = f"without {largest.name} there is not enough {name} for what pods request"
            said = f"requested {asked / scale:.2f} {unit}, left {room / scale:.2f}"
            yield Found("workers", title, f"Node {largest.name}, status.allocatable", said)


@rule(
    "control-plane-takes-pods",
    WARNING,
    "a control plane that takes users' pods",
    fix="kubectl taint node NAME node-role.kubernetes.io/control-plane:NoSchedule",
)
def takes_pods(facts: AuditFacts) -> Iterator[Found]:
    servers = {node.name for node in facts.cluster.control_planes if not node.has(Role.WORKER)}
    for one in _workers(facts):
        if one.name in servers:
            title = "users' pods compete with the control plane, and are lost with it"
            yield Found(one.name, title, f"Node {one.name}, spec.taints", "no NoSchedule")


RULES = (one_worker, short, takes_pods)
