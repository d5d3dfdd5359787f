"""The pod that probes are asked from (`from: pod:…`), and the Secret that it reads.

In kube-system like the ledger's registers; labelled with the mark of what made them. Pinned to its
node past the scheduler, tolerating every taint, never started again, without a token of a service
account, and ended by its own deadline.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from quorate.harness.drivers.kube import KubeDriver
from quorate.harness.drivers.kube_api import KubeApi, KubeCommands
from quorate.harness.drivers.pods import SAMPLER_LABELS, is_finished
from quorate.harness.drivers.tunnel import PodPort
from quorate.harness.errors import DriverError
from quorate.harness.model.cluster import Cluster
from quorate.harness.model.marks import LABEL

NAMESPACE = "kube-system"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
SECRETS = f"/api/v1/namespaces/{NAMESPACE}/secrets"
PORT = 8080
FILES = "/quorate/files"
BUFFER = "/quorate/buffer"
BUFFER_SIZE = "256Mi"
"""An hour at 200 Hz takes 90 MB."""

GRACE_S = 1
"""It has nothing to tidy up."""

HOPELESS = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "CreateContainerError")
"""Why a container waits that no waiting will help."""


@dataclass(frozen=True)
class SamplerPod:
    """What one is made of. ``files``: name → content, of the Secret; found in FILES."""

    mark: str
    node: str
    argv: Sequence[str]
    files: Mapping[str, bytes]
    lasts_s: float

    @property
    def name(self) -> str:
        return self.mark


class SamplerPodDriver:
    """Made, looked at and reached; `KubeCommands` take them away."""

    def __init__(self, cluster: Cluster, *, kube: KubeDriver, api: KubeApi) -> None:
        self._cluster = cluster
        self._kube = kube
        self._api = api
        self.commands = KubeCommands()

    @property
    def image(self) -> str:
        return self._cluster.service.sampler_image

    def knows_node(self, name: str) -> bool:
        """Whether the API has a node of that name. DriverError."""
        return self._api.get(f"/api/v1/nodes/{name}") is not None

    def make(self, pod: SamplerPod) -> None:
        """The Secret, then the pod. DriverError where the API takes one of them not."""
        self._api.create(SECRETS, secret_of(pod))
        self._api.create(PODS, object_of(pod, image=self.image))

    def is_running(self, name: str) -> bool:
        """DriverError, saying why, where it never will be."""
        found = self._api.get(f"{PODS}/{name}")
        if ended := end_of(found):
            raise DriverError(ended)
        waiting = [one for one in _waiting(found) if one["reason"] in HOPELESS]
        if waiting:
            said = "; ".join(f"{one['reason']}: {one.get('message', '')}" for one in waiting)
            raise DriverError(f"{self.image} (service.sampler_image in cluster.yaml): {said}")
        return bool(found["status"].get("phase") == "Running")

    def ended(self, name: str) -> str:
        """Why it will say no more; empty while it may, and where no API server can tell."""
        try:
            return end_of(self._api.get(f"{PODS}/{name}"))
        except DriverError:
            return ""

    def port(self, name: str) -> PodPort:
        """The way to it."""
        return PodPort(f"{PODS}/{name}", PORT, kube=self._kube, api=self._api)


def end_of(pod: Mapping[str, Any] | None) -> str:
    """What ended it, in words; empty where nothing did."""
    if pod is None:
        return "its pod is gone"
    status = pod.get("status") or {}
    if not is_finished(pod):
        return ""
    words = [str(status[key]) for key in ("phase", "reason", "message") if status.get(key)]
    return f"its pod has ended: {', '.join(words)}"


def secret_of(pod: SamplerPod) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": _meta(pod),
        "data": {name: base64.b64encode(data).decode() for name, data in pod.files.items()},
    }


def object_of(pod: SamplerPod, *, image: str) -> dict[str, Any]:
    container = {
        "name": "sampler",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": list(pod.argv),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"], "add": ["SYS_NICE"]},  # ticks on busy cores
        },
        "resources": {
            "requests": {"cpu": "10m", "memory": "32Mi"},
            "limits": {"memory": "512Mi"},  # what is in the buffer counts
        },
        "volumeMounts": [
            {"name": "files", "mountPath": FILES, "readOnly": True},
            {"name": "buffer", "mountPath": BUFFER},
        ],
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": _meta(pod),
        "spec": {
            "nodeName": pod.node,
            "tolerations": [{"operator": "Exists"}],
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "activeDeadlineSeconds": max(1, round(pod.lasts_s)),
            "terminationGracePeriodSeconds": GRACE_S,
            "containers": [container],
            "volumes": [
                {"name": "files", "secret": {"secretName": pod.name, "defaultMode": 0o400}},
                {"name": "buffer", "emptyDir": {"medium": "Memory", "sizeLimit": BUFFER_SIZE}},
            ],
        },
    }


def _meta(pod: SamplerPod) -> dict[str, Any]:
    labels = {LABEL: pod.mark, **SAMPLER_LABELS}
    return {"name": pod.name, "namespace": NAMESPACE, "labels": labels}


def _waiting(pod: Mapping[str, Any]) -> list[dict[str, Any]]:
    states = [one["state"] for one in pod["status"].get("containerStatuses") or ()]
    return [state["waiting"] for state in states if "waiting" in state]
