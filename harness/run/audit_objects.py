"""Objects of the API → what the rules of the audit look at; pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from quorate.harness.audit.facts import Amounts, Budget, NodeObject, Pod, Webhook, Workload
from quorate.harness.drivers.pods import (
    budgets_over,
    is_ending,
    is_finished,
    is_ready,
    leaves_in_a_drain,
    name_of,
    selects,
)
from quorate.harness.errors import DriverError
from quorate.harness.predict.pod_objects import parse_pod

Object = Mapping[str, Any]
Objects = Sequence[Object]

KEEPS_OFF = ("NoSchedule", "NoExecute")
SYSTEM = {"kubernetes.io/metadata.name": "kube-system"}
"""The label that every namespace has of its own name."""

_QUANTITY = re.compile(r"([0-9]+\.?[0-9]*(?:[eE][+-]?[0-9]+)?)([num]|k|Ki|[MGTPE]i?)?")
_UNITS = {"": 1.0, "n": 1e-9, "u": 1e-6, "m": 1e-3, "k": 1e3} | {
    prefix + suffix: float(base**power)
    for power, prefix in enumerate("KMGTPE", start=1)
    for suffix, base in (("", 1000), ("i", 1024))
}


def node_object(node: Object) -> NodeObject:
    """One Node."""
    spec, status = node["spec"], node.get("status", {})
    conditions = status.get("conditions") or ()
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
    kept_off = any(one.get("effect") in KEEPS_OFF for one in spec.get("taints") or ())
    works = ready and not spec.get("unschedulable") and not kept_off
    return NodeObject(node["metadata"]["name"], ready, works, _amounts(status.get("allocatable")))


def pod(one: Object) -> Pod:
    """One pod that has not finished."""
    ready, moves = is_ready(one), leaves_in_a_drain(one)
    facts = parse_pod(one, ready=ready, leaves=moves)
    requests = [_requests(each) for each in one["spec"].get("containers") or ()]
    names = {name for each in requests for name in each}
    return Pod(
        name=facts.name,
        node=facts.node,
        ready=ready,
        moves=moves,
        unreachable_s=facts.unreachable_s,
        requests={name: sum(each.get(name, 0.0) for each in requests) for name in names},
    )


def running(pods: Objects) -> list[Object]:
    """Those that take room: neither finished nor ending."""
    return [one for one in pods if not is_finished(one) and not is_ending(one)]


def workload(kind: str, one: Object, *, pods: Objects, budgets: Objects) -> Workload:
    """A Deployment or StatefulSet; `pods` and `budgets` of the whole cluster."""
    spec, template = one["spec"], one["spec"]["template"]
    inside = template.get("spec", {})
    pattern = {
        "metadata": {**template.get("metadata", {}), "namespace": one["metadata"]["namespace"]}
    }
    anti = (inside.get("affinity") or {}).get("podAntiAffinity")
    replicas = spec.get("replicas")
    return Workload(
        kind=kind,
        name=name_of(one),
        replicas=1 if replicas is None else int(replicas),
        pods=tuple(map(pod, _selected(one, spec.get("selector"), pods))),
        apart=bool(anti or inside.get("topologySpreadConstraints")),
        unprobed=tuple(
            str(each["name"])
            for each in inside.get("containers") or ()
            if "readinessProbe" not in each
        ),
        budgets=tuple(map(name_of, budgets_over(pattern, budgets))),
    )


def budget(one: Object) -> Budget:
    """One PodDisruptionBudget."""
    spec, status = one["spec"], one.get("status") or {}
    says = [f"{key} {spec[key]}" for key in ("minAvailable", "maxUnavailable") if key in spec]
    return Budget(
        name=name_of(one),
        says=", ".join(says) or "says nothing",
        allowed=int(status.get("disruptionsAllowed") or 0),
        healthy=int(status.get("currentHealthy") or 0),
        desired=int(status.get("desiredHealthy") or 0),
        expected=int(status.get("expectedPods") or 0),
    )


def webhooks(kind: str, one: Object, *, services: Objects, pods: Objects) -> list[Webhook]:
    """Each webhook of one configuration."""
    whole = f"{kind} {one['metadata']['name']}"
    hooks = one.get("webhooks") or ()
    return [_webhook(whole, hook, services=services, pods=pods) for hook in hooks]


def _webhook(whole: str, hook: Object, *, services: Objects, pods: Objects) -> Webhook:
    service = hook["clientConfig"].get("service")
    named = None if service is None else f"{service['namespace']}/{service['name']}"
    return Webhook(
        name=f"{whole}, {hook['name']}",
        fails=hook.get("failurePolicy", "Fail") == "Fail",
        service=named,
        pods=tuple(map(pod, _behind(named, services, pods))),
        covers_system=_covers_system(hook),
        timeout_s=float(hook.get("timeoutSeconds") or 10),
    )


def _behind(named: str | None, services: Objects, pods: Objects) -> list[Object]:
    for service in services:
        labels = service["spec"].get("selector")
        if name_of(service) == named and labels:
            return _selected(service, {"matchLabels": labels}, pods)
    return []


def _covers_system(hook: Object) -> bool:
    rules = hook.get("rules") or ()
    kinds = {name.partition("/")[0] for one in rules for name in one.get("resources") or ()}
    acts = {act for one in rules for act in one.get("operations") or ()}
    asked = kinds & {"pods", "*"} and acts & {"CREATE", "*"}
    return bool(asked) and selects(hook.get("namespaceSelector") or {}, SYSTEM)


def _selected(owner: Object, selector: Object | None, pods: Objects) -> list[Object]:
    namespace = owner["metadata"]["namespace"]
    return [
        one
        for one in pods
        if one["metadata"]["namespace"] == namespace
        and selects(selector, one["metadata"].get("labels") or {})
    ]


def _requests(container: Object) -> Amounts:
    return _amounts((container.get("resources") or {}).get("requests"))


def _amounts(given: Mapping[str, Any] | None) -> Amounts:
    return {name: quantity(text) for name, text in (given or {}).items()}


def quantity(text: object) -> float:
    """`100m`, `1Gi`, `2` → cores, bytes, number. DriverError for what is no quantity."""
    found = _QUANTITY.fullmatch(str(text))
    if found is None:
        raise DriverError(f"{text!r} is no quantity")
    return float(found[1]) * _UNITS[found[2] or ""]
