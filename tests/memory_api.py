"""An API server in memory: objects by path, lists with selectors, merge patches, evictions.

Never evidence that a fault works; it shows what ours ask for, and how they take answers.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.kube import Answer
from quorate.harness.drivers.kube_api import KubeApi, KubeCommands
from quorate.harness.drivers.kube_command import carry_out
from quorate.harness.errors import DriverError
from quorate.harness.faults.contract import Act, Fault, Plan
from quorate.harness.model import service
from quorate.harness.model.cluster import Cluster
from quorate.harness.model.own_commands import KUBE
from quorate.harness.model.undo import Undo

Object = dict[str, Any]
LISTS = (
    *("pods", "events", "poddisruptionbudgets", "nodes", "namespaces", "deployments"),
    *("configmaps", "statefulsets", "services"),
    *("validatingwebhookconfigurations", "mutatingwebhookconfigurations"),
)


class MemoryServer:
    """`objects`: path → object. `evictions`: pod → the answers (codes) that its evictions get, the
    last one for ever; 201 removes the pod."""

    def __init__(self, objects: dict[str, Object] | None = None) -> None:
        self.objects = objects or {}
        self.evictions: dict[str, list[int]] = {}
        self.asked: list[tuple[str, str]] = []
        self.down = False

    @property
    def api(self) -> KubeApi:
        return KubeApi(lambda: [self])

    def close(self) -> None:
        pass

    def ask(
        self, method: str, path: str, *, body: bytes | None = None, content_type: str = ""
    ) -> Answer:
        if self.down:
            raise DriverError("no answer")
        self.asked.append((method, path))
        url = urlsplit(path)
        status, said = self._answer(method, url.path, query=parse_qs(url.query), body=body)
        return Answer(status, json.dumps(said).encode())

    def _answer(
        self, method: str, path: str, *, query: dict[str, list[str]], body: bytes | None
    ) -> tuple[int, Object]:
        if path.endswith("/selfsubjectaccessreviews"):
            return 201, {"status": {"allowed": True}}
        if method == "POST" and path.endswith("/eviction"):
            return self._evict(path.removesuffix("/eviction"))
        if method == "GET" and path.rpartition("/")[2] in LISTS:
            return 200, {
                "items": [one for at, one in self.objects.items() if _in(at, path, query, one)]
            }
        if path not in self.objects:
            if method == "PATCH" and "force" in query:
                self.objects[path] = json.loads(body or b"{}")
                return 201, self.objects[path]
            return 404, {"message": f"{path} not found"}
        if method == "DELETE":
            return 200, self.objects.pop(path)
        if method == "PATCH":
            given, meta = json.loads(body or b"{}"), self.objects[path].get("metadata", {})
            version = given.get("metadata", {}).pop("resourceVersion", None)
            if version not in (None, meta.get("resourceVersion")):
                return 409, {"message": "the object has been modified"}
            _merge(self.objects[path], given)
            if "resourceVersion" in meta:
                meta["resourceVersion"] = str(1 + int(meta["resourceVersion"]))
        return 200, self.objects[path]

    def _evict(self, path: str) -> tuple[int, Object]:
        if path not in self.objects:
            return 404, {}
        answers = self.evictions.get(path.rpartition("/")[2], [201])
        status = answers.pop(0) if len(answers) > 1 else answers[0]
        if status == 201:
            del self.objects[path]
        return status, {}


def _in(at: str, path: str, query: dict[str, list[str]], one: Object) -> bool:
    kind = path.rpartition("/")[2]
    where = at.split("/")
    if kind != where[-2] or ("namespaces" in path and not at.startswith(path)):
        return False
    labels = one["metadata"].get("labels", {})
    for text in query.get("labelSelector", []):
        if any(labels.get(k) != v for k, v in (pair.split("=") for pair in text.split(","))):
            return False
    for text in query.get("fieldSelector", []):
        for field, value in (pair.split("=") for pair in text.split(",")):
            thing: Any = one
            for step in field.split("."):
                thing = thing.get(step, {})
            if thing != value:
                return False
    return True


def _merge(old: Object, new: Object) -> None:
    for key, value in new.items():
        if value is None:
            old.pop(key, None)
        elif isinstance(value, dict) and isinstance(old.get(key), dict):
            _merge(old[key], value)
        else:
            old[key] = value


def pod(
    name: str,
    *,
    node: str = "w1",
    namespace: str = "shop",
    owner: str | None = "ReplicaSet",
    labels: dict[str, str] | None = None,
) -> tuple[str, Object]:
    """(path, object) of a ready pod."""
    owners = [{"kind": owner, "controller": True}] if owner else []
    meta = {
        "name": name,
        "namespace": namespace,
        "uid": f"uid-{name}",
        "labels": labels or {"app": "web"},
        "ownerReferences": owners,
    }
    status = {
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": "True"}],
        "containerStatuses": [{"containerID": f"containerd://{name}-1"}],
    }
    one = {"metadata": meta, "spec": {"nodeName": node}, "status": status}
    return f"/api/v1/namespaces/{namespace}/pods/{name}", one


def budget(name: str, *, allowed: int, namespace: str = "shop") -> tuple[str, Object]:
    """(path, object) of a PodDisruptionBudget over app=web."""
    one = {
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"selector": {"matchLabels": {"app": "web"}}},
        "status": {"disruptionsAllowed": allowed, "currentHealthy": 3, "desiredHealthy": 3},
    }
    return f"/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets/{name}", one


def healthy(node: str) -> MemoryServer:
    """A node that runs a pod of the service under watch and one of CoreDNS."""
    return MemoryServer(
        {
            f"/api/v1/nodes/{node}": {
                "metadata": {"name": node, "resourceVersion": "1"},
                "spec": {},
            },
            **dict(
                [
                    pod("web-1", node=node, namespace=service.NAMESPACE, labels=service.LABELS),
                    pod(
                        "dns-1", node=node, namespace="kube-system", labels={"k8s-app": "kube-dns"}
                    ),
                ]
            ),
        }
    )


def drivers_of(cluster: Cluster, server: MemoryServer, **more: object) -> Drivers:
    """What asks and writes the API, and what else is named; no other driver is there."""
    made: Any = Drivers.__new__(Drivers)
    parts = {"cluster": cluster, "api": server.api, "kube_commands": KubeCommands(), **more}
    for name, value in parts.items():
        object.__setattr__(made, name, value)
    result: Drivers = made
    return result


def planned(fault: Fault, drivers: Drivers, arguments: dict[str, Any], *, node: str = "w1") -> Plan:
    """What is to be done to one node."""
    before = fault.prepare(drivers, nodes=[node], arguments=arguments)
    return Plan(f"{fault.name}-1", (node,), arguments=arguments, before=before)


def carry_out_all(steps: Iterable[Act | Undo], server: MemoryServer) -> None:
    """Each as our own command would do it."""
    for step in steps:
        word, verb, *words = step.argv
        assert word == KUBE
        carry_out(server.api, verb, words)
