"""What the API says of its own cluster. Pure: the lists are read by `reading.py`."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from quorate.harness.errors import DriverError

CONTROL_PLANE = "node-role.kubernetes.io/control-plane"
MASTER = "node-role.kubernetes.io/master"
"""The label until Kubernetes 1.24, and Kubespray's and RKE's for long after."""

RKE_CONTROL_PLANE = "node-role.kubernetes.io/controlplane"
CONTROL_PLANE_LABELS = (CONTROL_PLANE, MASTER, RKE_CONTROL_PLANE)
NETWORKS = ("calico", "cilium", "flannel", "canal", "weave", "kube-router", "antrea", "kindnet")
KUBE_VIP = "kube-vip"

Object = Mapping[str, Any]


@dataclass(frozen=True)
class KubeNode:
    """One Node. ``works``: ordinary pods may run there."""

    name: str
    address: str
    control_plane: bool
    works: bool
    runtime: str
    version: str


@dataclass(frozen=True)
class ApiFacts:
    """``endpoint``: host and port of kubeadm's controlPlaneEndpoint; "" and 0: there is none."""

    nodes: tuple[KubeNode, ...]
    name: str = ""
    endpoint: tuple[str, int] = ("", 0)
    proxy_mode: str = ""
    network: tuple[str, ...] = ()
    kube_vip: str = ""
    """The address that kube-vip holds, "" where it does not run."""


def nodes_of(items: Iterable[Object]) -> tuple[KubeNode, ...]:
    """Nodes by name, control planes first. DriverError for an object that is no Node."""
    found = []
    for item in items:
        try:
            labels = item["metadata"].get("labels") or {}
            spec, status = item.get("spec") or {}, item["status"]
            addresses = {one["type"]: one["address"] for one in status["addresses"]}
            taints = {
                one["key"] for one in spec.get("taints") or () if one["effect"] == "NoSchedule"
            }
            plane = any(label in labels for label in CONTROL_PLANE_LABELS)
            found.append(
                KubeNode(
                    name=item["metadata"]["name"],
                    address=addresses.get("InternalIP") or addresses["Hostname"],
                    control_plane=plane,
                    works=not plane or not taints & {CONTROL_PLANE, MASTER},
                    runtime=status["nodeInfo"]["containerRuntimeVersion"],
                    version=status["nodeInfo"]["kubeletVersion"],
                )
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise DriverError(f"a Node cannot be read: {type(error).__name__}: {error}") from error
    return tuple(sorted(found, key=lambda one: (not one.control_plane, one.name)))


def kubeadm_of(config_map: Object | None) -> tuple[str, tuple[str, int]]:
    """Name of the cluster, and its controlPlaneEndpoint; empty where kubeadm has left neither."""
    text = ((config_map or {}).get("data") or {}).get("ClusterConfiguration", "")
    said = _mapping(text)
    host, port = split_endpoint(str(said.get("controlPlaneEndpoint") or ""))
    return str(said.get("clusterName") or ""), (host, port)


def split_endpoint(text: str) -> tuple[str, int]:
    """``host:port``, ``[v6]:port`` or ``host`` alone (6443, kubeadm's default)."""
    if not text:
        return "", 0
    host, colon, port = text.rpartition(":")
    if colon and port.isdigit() and (":" not in host or host.endswith("]")):
        return host.strip("[]"), int(port)
    return text.strip("[]"), 6443


def proxy_mode_of(config_map: Object | None) -> str:
    """kube-proxy's mode; iptables where its configuration says nothing (its default on Linux)."""
    data = (config_map or {}).get("data") or {}
    if not data:
        return ""
    text = data.get("config.conf") or next(iter(data.values()))
    return str(_mapping(text).get("mode") or "iptables")


def network_of(daemon_sets: Iterable[Object]) -> tuple[str, ...]:
    """Pod networks that are known by the names of their DaemonSets."""
    names = [str(one.get("metadata", {}).get("name", "")) for one in daemon_sets]
    return tuple(sorted({known for known in NETWORKS for name in names if known in name}))


def kube_vip_of(pods: Sequence[Object]) -> str:
    """The address of kube-vip's environment; "" where no such pod runs."""
    for pod in pods:
        for container in (pod.get("spec") or {}).get("containers") or ():
            if KUBE_VIP not in str(container.get("image", "")):
                continue
            said = {one.get("name"): one.get("value", "") for one in container.get("env") or ()}
            for key in ("address", "vip_address"):
                if is_address(str(said.get(key, ""))):
                    return str(said[key])
    return ""


def is_address(text: str) -> bool:
    """Whether it is an IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _mapping(text: str) -> Mapping[str, Any]:
    try:
        said = yaml.safe_load(text)
    except yaml.YAMLError:
        return {}
    return said if isinstance(said, dict) else {}
