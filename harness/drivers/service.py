"""The service under watch as Kubernetes objects, and how it is doing."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from quorate.harness.drivers.kube_api import KubeApi
from quorate.harness.drivers.pods import is_ending, is_ready
from quorate.harness.model.service import (
    GREETING,
    LABELS,
    NAME,
    NAMESPACE,
    PORT,
    PRE_STOP_S,
    REPLICAS,
    RESOLVE_PATH,
    RESOLVED,
    SELECTOR,
    UNREACHABLE_S,
)

if TYPE_CHECKING:
    from quorate.harness.model.cluster import Cluster

ASK_TIMEOUT_S = 1.0
GRACE_S = PRE_STOP_S + 3

NAMESPACE_PATH = f"/api/v1/namespaces/{NAMESPACE}"
SERVICE_PATH = f"{NAMESPACE_PATH}/services/{NAME}"
DEPLOYMENT_PATH = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{NAME}"
BUDGET_PATH = f"/apis/policy/v1/namespaces/{NAMESPACE}/poddisruptionbudgets/{NAME}"

# It ends at once when it is told to, as most programs do: what keeps clients whole is preStop.
_SERVE = f"""\
mkdir -p /www/cgi-bin
echo '{GREETING}' > /www/index.html
cat > /www{RESOLVE_PATH} <<'END'
#!/bin/sh
if nslookup kubernetes.default.svc.cluster.local. > /dev/null 2>&1
then printf 'Status: 200 OK\\r\\nContent-Type: text/plain\\r\\n\\r\\n{RESOLVED}\\n'
else printf 'Status: 503 No\\r\\nContent-Type: text/plain\\r\\n\\r\\nno answer\\n'
fi
END
chmod 755 /www{RESOLVE_PATH}
trap 'exit 0' TERM
httpd -p {PORT} -h /www
while :; do sleep 3600 & wait $!; done
"""


def container(*, image: str, pre_stop: bool = True) -> dict[str, Any]:
    """The one container; without `pre_stop` it ends while clients are still sent to it."""
    found: dict[str, Any] = {
        "name": NAME,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c", _SERVE],
        "ports": [{"containerPort": PORT}],
        "readinessProbe": {
            "httpGet": {"path": "/", "port": PORT},
            "periodSeconds": 1,
            "failureThreshold": 2,
        },
    }
    if pre_stop:
        found["lifecycle"] = {"preStop": {"exec": {"command": ["sleep", str(PRE_STOP_S)]}}}
    return found


def spread() -> list[dict[str, Any]]:
    """On as many nodes as there are, and yet schedulable when one is drained."""
    return [
        {
            "maxSkew": 1,
            "topologyKey": "kubernetes.io/hostname",
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": LABELS},
            "nodeTaintsPolicy": "Honor",
        }
    ]


def tolerations() -> list[dict[str, Any]]:
    """In place of the 300 s that the admission plugin DefaultTolerationSeconds would write."""
    return [
        {
            "key": f"node.kubernetes.io/{why}",
            "operator": "Exists",
            "effect": "NoExecute",
            "tolerationSeconds": UNREACHABLE_S,
        }
        for why in ("not-ready", "unreachable")
    ]


def objects(cluster: Cluster, *, labels: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Path → object, in the order in which they are to be made; each carries `labels`."""
    meta = {"name": NAME, "namespace": NAMESPACE, "labels": dict(labels)}
    template = {
        "metadata": {"labels": {**LABELS, **labels}},
        "spec": {
            "terminationGracePeriodSeconds": GRACE_S,
            "topologySpreadConstraints": spread(),
            "tolerations": tolerations(),
            "containers": [container(image=cluster.service.image)],
        },
    }
    ports = [{"port": 80, "targetPort": PORT, "nodePort": cluster.service.node_port}]
    return {
        NAMESPACE_PATH: {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": NAMESPACE, "labels": dict(labels)},
        },
        SERVICE_PATH: {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": meta,
            "spec": {"type": "NodePort", "selector": LABELS, "ports": ports},
        },
        BUDGET_PATH: {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": meta,
            "spec": {"maxUnavailable": 1, "selector": {"matchLabels": LABELS}},
        },
        DEPLOYMENT_PATH: {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": meta,
            "spec": {
                "replicas": REPLICAS,
                "selector": {"matchLabels": LABELS},
                "strategy": {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
                "template": template,
            },
        },
    }


def selected_path(namespace: str, selector: str) -> str:
    """The list of a namespace's pods that a selector (`key=value,…`) matches."""
    return f"/api/v1/namespaces/{namespace}/pods?labelSelector={quote(selector, safe='')}"


class ServiceDriver:
    """What the service under watch is doing."""

    def __init__(self, cluster: Cluster, *, api: KubeApi) -> None:
        self._cluster = cluster
        self._api = api

    def is_there(self) -> bool:
        """Whether its namespace exists, ending or not."""
        return self._api.get(NAMESPACE_PATH) is not None

    def pods(self) -> list[dict[str, Any]]:
        """Its pods, ready or not."""
        return self._api.items(selected_path(NAMESPACE, SELECTOR))

    def unsettled(self, *, replicas: int) -> str:
        """What still differs from so many ready pods and no other; empty when nothing does."""
        pods = self.pods()
        ready = [pod for pod in pods if is_ready(pod)]
        ending = [pod for pod in pods if is_ending(pod)]
        if len(ready) != replicas or len(pods) != replicas:
            return f"{len(ready)} of {replicas} pods ready, {len(ending)} ending"
        silent = [node.name for node in self._cluster.workers if not self.answers(node.address)]
        return f"no answer at the NodePort of {', '.join(silent)}" if silent else ""

    def nodes(self) -> list[str]:
        """The node of each pod that is ready, in order."""
        return sorted(str(pod["spec"].get("nodeName")) for pod in self.pods() if is_ready(pod))

    def answers(self, address: str) -> bool:
        """Whether it answers at a node's NodePort, asked once from here."""
        connection = http.client.HTTPConnection(
            address, self._cluster.service.node_port, timeout=ASK_TIMEOUT_S
        )
        try:
            connection.request("GET", "/")
            return GREETING.encode() in connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
