"""Paths that lead to addresses which a cluster gives out itself: of services and of pods.

Read once, when everything is arranged and before sampling begins, and written down. A pod that is
made later has another address: a path to a pod is to that one pod, for as long as it lives.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Protocol

from quorate.harness.drivers.pods import is_ready
from quorate.harness.drivers.service import SERVICE_PATH, selected_path
from quorate.harness.errors import RefusedError
from quorate.harness.model import service
from quorate.probes.catalogue import DNS_PORT, Endpoint

API_SERVICE_PATH = "/api/v1/namespaces/default/services/kubernetes"
DNS_SERVICE_PATH = "/api/v1/namespaces/kube-system/services/kube-dns"
"""kubeadm's name for it, whatever serves behind."""

DNS_PODS_PATH = selected_path("kube-system", "k8s-app=kube-dns")
SERVICE_PODS_PATH = selected_path(service.NAMESPACE, service.SELECTOR)


class Api(Protocol):
    """What is needed of the API."""

    def get(self, path: str) -> Any: ...

    def items(self, path: str) -> list[dict[str, Any]]: ...


def read_places(api: Api, paths: Collection[str]) -> Mapping[str, Endpoint]:
    """Where each of these paths leads to.

    Raises:
        RefusedError: there is no such service, or no such pod that is ready.
        DriverError: nobody answers for the API.
    """
    return {path: _place(api, path) for path in dict.fromkeys(paths)}


def _place(api: Api, path: str) -> Endpoint:
    word, _, number = path.partition(":")
    if number or word == "pod":
        return _PODS[word](api, path, int(number or 1))
    return _SERVICES[word](api, path)


def _service(at: str, *, port: int | None = None) -> Callable[[Api, str], Endpoint]:
    def find(api: Api, path: str) -> Endpoint:
        found = api.get(at)
        if found is None:
            why = ": given: [service_deployed] makes it" if at == SERVICE_PATH else ""
            raise RefusedError(f"path {path!r}: there is no service at {at}{why}")
        spec = found["spec"]
        if spec.get("clusterIP") in (None, "", "None"):
            raise RefusedError(f"path {path!r}: the service at {at} has no address")
        return Endpoint(str(spec["clusterIP"]), port or int(spec["ports"][0]["port"]))

    return find


def _pod(at: str, *, port: int) -> Callable[[Api, str, int], Endpoint]:
    def find(api: Api, path: str, number: int) -> Endpoint:
        pods = sorted(filter(is_ready, api.items(at)), key=lambda pod: str(pod["metadata"]["name"]))
        if number > len(pods):
            raise RefusedError(f"path {path!r}: {len(pods)} such pod(s) are ready")
        return Endpoint(str(pods[number - 1]["status"]["podIP"]), port)

    return find


_SERVICES: Mapping[str, Callable[[Api, str], Endpoint]] = {
    "kubernetes": _service(API_SERVICE_PATH),
    "cluster-ip": _service(SERVICE_PATH),
    "dns": _service(DNS_SERVICE_PATH, port=DNS_PORT),
}
_PODS: Mapping[str, Callable[[Api, str, int], Endpoint]] = {
    "pod": _pod(SERVICE_PODS_PATH, port=service.PORT),
    "dns": _pod(DNS_PODS_PATH, port=DNS_PORT),
}
