"""Nodes, endpoint, proxy mode, network and kube-vip, out of objects as the API gives them."""

from __future__ import annotations

from typing import Any

import pytest

from quorate.harness.cluster.discovery import from_api
from quorate.harness.errors import DriverError


def node(name: str, address: str, *, labels: tuple[str, ...] = (), taint: str = "") -> Any:
    return {
        "metadata": {"name": name, "labels": dict.fromkeys(labels, "")},
        "spec": {"taints": [{"key": taint, "effect": "NoSchedule"}]} if taint else {},
        "status": {
            "addresses": [
                {"type": "Hostname", "address": name},
                {"type": "InternalIP", "address": address},
            ],
            "nodeInfo": {"containerRuntimeVersion": "containerd://2", "kubeletVersion": "v1.36.3"},
        },
    }


@pytest.mark.parametrize("label", from_api.CONTROL_PLANE_LABELS)
def test_control_planes_are_known_by_their_label_and_come_first(label: str) -> None:
    items = [
        node("a1", "192.0.2.21"),
        node("b1", "192.0.2.11", labels=(label,), taint=from_api.CONTROL_PLANE),
    ]
    plane, worker = from_api.nodes_of(items)
    assert (plane.name, plane.address, plane.control_plane) == ("b1", "192.0.2.11", True)
    assert (worker.control_plane, worker.works) == (False, True)


def test_a_control_plane_that_takes_pods_is_a_worker_too() -> None:
    plane = from_api.CONTROL_PLANE
    (bare,) = from_api.nodes_of([node("a", "192.0.2.1", labels=(plane,))])
    (barred,) = from_api.nodes_of([node("a", "192.0.2.1", labels=(plane,), taint=plane)])
    assert (bare.works, barred.works) == (True, False)


def test_an_object_that_is_no_node() -> None:
    with pytest.raises(DriverError, match="a Node cannot be read: KeyError"):
        from_api.nodes_of([{"metadata": {"name": "x"}}])


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("192.0.2.10:8443", "192.0.2.10", 8443),
        ("api.example", "api.example", 6443),
        ("[2001:db8::1]:6443", "2001:db8::1", 6443),
        ("2001:db8::1", "2001:db8::1", 6443),
        ("", "", 0),
    ],
)
def test_endpoints(text: str, host: str, port: int) -> None:
    assert from_api.split_endpoint(text) == (host, port)


def config(**data: str) -> Any:
    return {"data": data}


def test_what_kubeadm_has_left() -> None:
    said = config(ClusterConfiguration="clusterName: prod\ncontrolPlaneEndpoint: 192.0.2.10:8443\n")
    assert from_api.kubeadm_of(said) == ("prod", ("192.0.2.10", 8443))
    assert from_api.kubeadm_of({}) == ("", ("", 0))
    assert from_api.kubeadm_of(config(ClusterConfiguration="{")) == ("", ("", 0))


@pytest.mark.parametrize(
    ("said", "mode"),
    [
        (config(**{"config.conf": "mode: ipvs\n"}), "ipvs"),
        (config(**{"config.conf": "mode: ''\n"}), "iptables"),
        ({}, ""),
    ],
)
def test_the_mode_of_kube_proxy(said: Any, mode: str) -> None:
    assert from_api.proxy_mode_of(said) == mode


def test_networks_are_known_by_name() -> None:
    names = ("calico-node", "kube-proxy", "kube-flannel-ds")
    sets = [{"metadata": {"name": name}} for name in names]
    assert from_api.network_of(sets) == ("calico", "flannel")


def test_kube_vip_tells_its_address() -> None:
    env = [{"name": "address", "value": "192.0.2.10"}]
    pod = {"spec": {"containers": [{"image": "ghcr.example/kube-vip/kube-vip:v1", "env": env}]}}
    other = {"spec": {"containers": [{"image": "nginx:1", "env": env}]}}
    assert from_api.kube_vip_of([other, pod]) == "192.0.2.10"
    assert from_api.kube_vip_of([other]) == ""
