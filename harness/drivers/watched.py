"""What is followed of pods, nodes and EndpointSlices: their JSON → few facts each; pure.

Pods that nothing would make again elsewhere are left out: mirrors of static pods, those of
DaemonSets, and those without a controller.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple
from urllib.parse import quote

from quorate.harness.drivers.pods import controller_of, is_ending, is_mirror, uid_of
from quorate.harness.errors import DriverError

Object = Mapping[str, Any]

HASH = "pod-template-hash"
SERVICE = "kubernetes.io/service-name"


@dataclass(frozen=True)
class Thing:
    """One object in one version. `kind`: of the event that tells of it; `data`: its facts.

    pod_seen: namespace, name, uid, owner (`namespace/name`), node (None: not scheduled), started
        (every container runs), restarts (of all containers together), ready, ending.
    node_seen: node, ready (True, False or Unknown, as the condition has it), no_execute (keys of
        its NoExecute taints), cordoned.
    endpoints_seen: namespace, service, slice, ready (uids of the pods that it may send to).
    """

    kind: str
    uid: str
    version: int
    data: Mapping[str, object]


NoticedKind = Literal["listed", "opened", "changed", "deleted", "lost"]


@dataclass(frozen=True)
class Noticed:
    """One word of one API server. `t_ns` is CLOCK_MONOTONIC at receipt, in nanoseconds.

    listed: `things` is all that there is, at `version`. opened: from now on every change is told.
    changed, deleted: `things` is one object. lost: nothing is told (any more); it was until
    `until_ns`.
    """

    t_ns: int
    resource: str
    server: str
    kind: NoticedKind
    things: tuple[Thing, ...] = ()
    version: int = 0
    until_ns: int = 0


class Resource(NamedTuple):
    """What is listed and watched; `name` for people."""

    name: str
    path: str
    read: Callable[[Object], Thing | None]


def followed(namespaces: Sequence[str]) -> tuple[Resource, ...]:
    """The nodes, and the pods and EndpointSlices of these namespaces."""
    found = [Resource("nodes", "/api/v1/nodes", node_of)]
    for each in namespaces:
        at = f"namespaces/{quote(each, safe='')}"
        slices = f"/apis/discovery.k8s.io/v1/{at}/endpointslices"
        found.append(Resource(f"pods of {each}", f"/api/v1/{at}/pods", pod_of))
        found.append(Resource(f"endpoints of {each}", slices, endpoints_of))
    return tuple(found)


def version_of(thing: Object) -> int:
    """resourceVersion, which may be compared: Kubernetes 1.35 promises what etcd's ever were.
    DriverError."""
    text = (thing.get("metadata") or {}).get("resourceVersion", "")
    if not str(text).isdigit():
        raise DriverError(f"a resourceVersion that is no number: {text!r}")
    return int(text)


def pod_of(pod: Object) -> Thing | None:
    """None for a pod that nothing makes again elsewhere."""
    meta, status = pod["metadata"], pod.get("status") or {}
    owner = owner_of(pod)
    if owner is None:
        return None
    containers = status.get("containerStatuses") or ()
    data = {
        "namespace": str(meta["namespace"]),
        "name": str(meta["name"]),
        "uid": uid_of(pod),
        "owner": owner,
        "node": pod["spec"].get("nodeName") or None,
        "started": bool(containers) and all("running" in one["state"] for one in containers),
        "restarts": sum(int(one.get("restartCount", 0)) for one in containers),
        "ready": _condition(status, "Ready") == "True",
        "ending": is_ending(pod),
    }
    return Thing("pod_seen", uid_of(pod), version_of(pod), data)


def owner_of(pod: Object) -> str | None:
    """`namespace/name` of what makes the pod again; of a Deployment's, the Deployment."""
    kind = controller_of(pod)
    if is_mirror(pod) or kind in (None, "DaemonSet"):
        return None
    meta = pod["metadata"]
    name = next(str(one["name"]) for one in meta["ownerReferences"] if one.get("controller"))
    if kind == "ReplicaSet" and (of_template := (meta.get("labels") or {}).get(HASH)):
        name = name.removesuffix(f"-{of_template}")
    return f"{meta['namespace']}/{name}"


def node_of(node: Object) -> Thing:
    taints = (node.get("spec") or {}).get("taints") or ()
    data = {
        "node": str(node["metadata"]["name"]),
        "ready": _condition(node.get("status") or {}, "Ready"),
        "no_execute": sorted(str(one["key"]) for one in taints if one["effect"] == "NoExecute"),
        "cordoned": bool((node.get("spec") or {}).get("unschedulable")),
    }
    return Thing("node_seen", uid_of(node), version_of(node), data)


def endpoints_of(found: Object) -> Thing:
    meta = found["metadata"]
    ready = {
        str((one.get("targetRef") or {}).get("uid"))
        for one in found.get("endpoints") or ()
        if (one.get("conditions") or {}).get("ready") is True
    }
    data = {
        "namespace": str(meta["namespace"]),
        "service": str((meta.get("labels") or {}).get(SERVICE, "")),
        "slice": str(meta["name"]),
        "ready": sorted(ready),
    }
    return Thing("endpoints_seen", uid_of(found), version_of(found), data)


def _condition(status: Object, kind: str) -> str:
    found = (one for one in status.get("conditions") or () if one["type"] == kind)
    return str(next(found, {"status": "Unknown"})["status"])
