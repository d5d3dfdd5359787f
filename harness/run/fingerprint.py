"""Reading what the cluster runs now: versions, and the configuration that its timings come from.

The files are read as they lie on the nodes; a program that was not reloaded since goes by older
ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from quorate.harness.drivers import etcd, haproxy, keepalived, nginx, settings
from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.manifests import path_of
from quorate.harness.errors import DriverError, TransportError
from quorate.harness.model.cluster import Node, Role
from quorate.harness.model.fingerprint import Fingerprint

KUBELET_CONFIGURATION = "/var/lib/kubelet/config.yaml"
"""kubeadm's."""

STATIC_PODS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")

Parser = Callable[[str], dict[str, str]]

BALANCERS: Mapping[str, Mapping[str, Parser]] = {
    haproxy.UNIT: {haproxy.CONFIGURATION: settings.haproxy_settings},
    nginx.UNIT: {nginx.CONFIGURATION: settings.nginx_settings},
}


def read_fingerprint(drivers: Drivers) -> Fingerprint:
    """All nodes at once. Never fails: what cannot be read is named in `missing`."""
    cluster = drivers.cluster
    with ThreadPoolExecutor(len(cluster.nodes), thread_name_prefix="fingerprint") as pool:
        each = list(pool.map(lambda node: _node(drivers, node), cluster.nodes))
    versions, missing = _versions(drivers)
    nodes = {}
    for node, (found, lacking) in zip(cluster.nodes, each, strict=True):
        nodes[node.name] = found | versions.get(node.name, {})
        missing += lacking
    vip = cluster.virtual_ip
    whole = {"virtual IP": f"{vip.address} port {vip.port}"}
    return Fingerprint.of(whole, nodes, missing=tuple(missing))


def _node(drivers: Drivers, node: Node) -> tuple[dict[str, str], list[str]]:
    found, missing = {"roles": ", ".join(sorted(node.roles))}, []
    parsers = _files(node, balancer=drivers.cluster.balancer)
    try:
        texts = drivers.files.texts(node.name, list(parsers))
    except TransportError as error:
        return found, [f"files of {_first_line(error)}"]
    for path, parse in parsers.items():
        try:
            found |= parse(texts[path]) if path in texts else {path: "not there"}
        except DriverError as error:
            missing.append(f"{path} on {node.name}: {_first_line(error)}")
    if node.has(Role.CONTROL_PLANE):
        try:
            found["API server version"] = drivers.kube.server_version(node)
        except DriverError as error:
            missing.append(_first_line(error))
    return found, missing


def _files(node: Node, *, balancer: str) -> dict[str, Parser]:
    """What lies on a node with these roles, and how it is read. An etcd on a machine of its own
    has one of two files."""
    found: dict[str, Parser] = {}
    if node.has_kubelet:
        found[KUBELET_CONFIGURATION] = settings.kubelet_settings
    if node.has(Role.LOAD_BALANCER):
        found |= BALANCERS[balancer]
        found[keepalived.CONFIGURATION] = settings.keepalived_settings
    if node.has(Role.CONTROL_PLANE):
        found |= {path_of(name): settings.static_pod_settings for name in STATIC_PODS}
    if node.has(Role.ETCD):
        found[etcd.MANIFEST] = settings.static_pod_settings
        if not node.has(Role.CONTROL_PLANE):
            found[etcd.CONFIGURATION] = settings.etcd_settings
    return found


def _versions(drivers: Drivers) -> tuple[Mapping[str, dict[str, str]], list[str]]:
    try:
        return drivers.kube.node_versions(), []
    except DriverError as error:
        return {}, [f"versions of the nodes: {_first_line(error)}"]


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
