"""What a pod's JSON says about evicting it; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Object = Mapping[str, Any]

MIRROR = "kubernetes.io/config.mirror"
"""kubelet's annotation on the image of a static pod in the API: deleting that stops nothing."""


SAMPLER_LABELS = {"app": "quorate-sampler"}
"""Of a pod that probes are asked from."""


def name_of(thing: Object) -> str:
    """`namespace/name`."""
    return f"{thing['metadata']['namespace']}/{thing['metadata']['name']}"


def uid_of(thing: Object) -> str:
    return str(thing["metadata"]["uid"])


def is_mirror(pod: Object) -> bool:
    """Whether a static pod stands behind it."""
    return MIRROR in (pod["metadata"].get("annotations") or {})


def controller_of(pod: Object) -> str | None:
    """The kind of what would make it again; None for a pod on its own."""
    for owner in pod["metadata"].get("ownerReferences") or ():
        if owner.get("controller"):
            return str(owner["kind"])
    return None


def is_ending(pod: Object) -> bool:
    return pod["metadata"].get("deletionTimestamp") is not None


def is_finished(pod: Object) -> bool:
    """Whether its work is over; nobody would make it again and nobody misses it."""
    return pod.get("status", {}).get("phase") in ("Succeeded", "Failed")


def is_ready(pod: Object) -> bool:
    """Whether its Ready condition is True and it is not ending."""
    conditions = pod.get("status", {}).get("conditions") or ()
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
    return ready and not is_ending(pod)


def leaves_in_a_drain(pod: Object) -> bool:
    """All but mirror pods and those of DaemonSets, which `kubectl drain` leaves alone too, and the
    one that we look on from: it belongs to the node that is watched."""
    if SAMPLER_LABELS.items() <= (pod["metadata"].get("labels") or {}).items():
        return False
    return not is_mirror(pod) and controller_of(pod) != "DaemonSet"


def loses_data(pod: Object) -> bool:
    """Whether an emptyDir volume would be lost with it."""
    return any("emptyDir" in volume for volume in pod["spec"].get("volumes") or ())


def selects(selector: Object | None, labels: Mapping[str, str]) -> bool:
    """Whether a label selector of policy/v1 matches; an empty one matches all, None nothing."""
    if selector is None:
        return False
    wanted = selector.get("matchLabels") or {}
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    return all(_fits(one, labels) for one in selector.get("matchExpressions") or ())


def _fits(one: Object, labels: Mapping[str, str]) -> bool:
    key, values = one["key"], one.get("values") or ()
    match one["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case _:
            return key not in labels


def budgets_over(pod: Object, budgets: Iterable[Object]) -> list[Object]:
    """The PodDisruptionBudgets that have a say about the pod."""
    labels = pod["metadata"].get("labels") or {}
    return [
        budget
        for budget in budgets
        if budget["metadata"]["namespace"] == pod["metadata"]["namespace"]
        and selects(budget["spec"].get("selector"), labels)
    ]


def what_keeps(pod: Object, budgets: Iterable[Object]) -> str:
    """Why a pod is still on its node, in words: its name, and the budget that forbids to go."""
    name = name_of(pod)
    if is_ending(pod):
        return f"{name} is ending since {pod['metadata']['deletionTimestamp']}"
    over = budgets_over(pod, budgets)
    if len(over) > 1:
        names = " and ".join(name_of(one) for one in over)
        return f"{name} is under two budgets or more, which no eviction survives: {names}"
    forbidding = [one for one in over if not (one.get("status") or {}).get("disruptionsAllowed")]
    if not forbidding:
        return f"{name} has not been evicted, and no budget forbids it"
    status = forbidding[0].get("status") or {}
    return (
        f"{name} is kept by the PodDisruptionBudget {name_of(forbidding[0])} "
        f"(healthy: {status.get('currentHealthy', '?')}, needed: "
        f"{status.get('desiredHealthy', '?')}, disruptions allowed: 0)"
    )


def containers_of(pod: Object) -> list[str]:
    """The runtime's ids of its running containers, as kubelet reports them."""
    statuses = pod.get("status", {}).get("containerStatuses") or ()
    ids = [str(one.get("containerID", "")).partition("://")[2] for one in statuses]
    return [one for one in ids if one]
