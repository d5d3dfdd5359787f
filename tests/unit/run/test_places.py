"""Where the paths lead that the cluster decides on, as its API tells."""

from __future__ import annotations

from typing import Any

import pytest

from quorate.harness.errors import RefusedError
from quorate.harness.run.places import (
    API_SERVICE_PATH,
    DNS_PODS_PATH,
    DNS_SERVICE_PATH,
    SERVICE_PATH,
    SERVICE_PODS_PATH,
    read_places,
)


def service(address: str, port: int) -> dict[str, Any]:
    return {"spec": {"clusterIP": address, "ports": [{"port": port}, {"port": 9153}]}}


def pod(name: str, address: str, *, ready: bool = True) -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    return {"metadata": {"name": name}, "status": {"podIP": address, "conditions": conditions}}


class Api:
    def __init__(self) -> None:
        self.asked: list[str] = []
        self.services = {
            API_SERVICE_PATH: service("10.96.0.1", 443),
            DNS_SERVICE_PATH: service("10.96.0.10", 9999),
            SERVICE_PATH: service("10.96.7.7", 80),
        }
        self.pods = {
            DNS_PODS_PATH: [pod("coredns-b", "10.0.2.2"), pod("coredns-a", "10.0.1.1")],
            SERVICE_PODS_PATH: [
                pod("service-a", "10.0.1.5", ready=False),
                pod("service-c", "10.0.3.5"),
                pod("service-b", "10.0.2.5"),
            ],
        }

    def get(self, path: str) -> Any:
        self.asked.append(path)
        return self.services.get(path)

    def items(self, path: str) -> list[dict[str, Any]]:
        self.asked.append(path)
        return self.pods[path]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("kubernetes", ("10.96.0.1", 443)),
        ("cluster-ip", ("10.96.7.7", 80)),
        ("pod", ("10.0.2.5", 8080)),
        ("pod:2", ("10.0.3.5", 8080)),
        ("dns", ("10.96.0.10", 53)),
        ("dns:1", ("10.0.1.1", 53)),
        ("dns:2", ("10.0.2.2", 53)),
    ],
)
def test_where_a_path_leads(path: str, expected: tuple[str, int]) -> None:
    """Pods in the order of their names, those alone that are ready."""
    assert read_places(Api(), [path]) == {path: expected}


def test_each_is_asked_for_once() -> None:
    api = Api()
    read_places(api, ["dns", "dns", "kubernetes"])
    assert len(api.asked) == 2


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("pod:3", r"path 'pod:3': 2 such pod\(s\) are ready"),
        ("dns:3", r"path 'dns:3': 2 such pod\(s\) are ready"),
    ],
)
def test_a_pod_that_is_not_there(path: str, why: str) -> None:
    with pytest.raises(RefusedError, match=why):
        read_places(Api(), [path])


def test_a_service_that_is_not_there() -> None:
    api = Api()
    api.services.clear()
    with pytest.raises(RefusedError, match=r"'cluster-ip': there is no .*service_deployed"):
        read_places(api, ["cluster-ip"])
    with pytest.raises(RefusedError, match=r"'dns': there is no service at .*kube-dns$"):
        read_places(api, ["dns"])


def test_a_service_without_an_address_of_its_own() -> None:
    api = Api()
    api.services[SERVICE_PATH]["spec"]["clusterIP"] = "None"
    with pytest.raises(RefusedError, match="has no address"):
        read_places(api, ["cluster-ip"])
