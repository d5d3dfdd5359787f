"""Asking: the API by the kubeconfig, each machine by ssh. Nothing is changed."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from quorate.harness.cluster.discovery.from_api import (
    ApiFacts,
    KubeNode,
    kube_vip_of,
    kubeadm_of,
    network_of,
    nodes_of,
    proxy_mode_of,
)
from quorate.harness.cluster.discovery.from_inventory import placed
from quorate.harness.cluster.discovery.from_nodes import FILES, Machine, machine_of
from quorate.harness.cluster.discovery.merge import (
    Discovered,
    Given,
    addresses_of,
    cluster_of,
    merge,
)
from quorate.harness.cluster.inventories.host import Host
from quorate.harness.cluster.namespace import enter_network_namespace
from quorate.harness.drivers.files import FileDriver
from quorate.harness.drivers.kube import ApiServer
from quorate.harness.drivers.kube_command import Server
from quorate.harness.drivers.kubeconfig import KubeCredentials, server_of
from quorate.harness.errors import DriverError, RefusedError, TransportError
from quorate.harness.model.cluster import Cluster, Role
from quorate.harness.transport import SshTransport, Transport
from quorate.harness.transport.at_once import at_once

TIMEOUT_S = 10.0
SYSTEM = "/api/v1/namespaces/kube-system"
CONFIG_MAPS = f"{SYSTEM}/configmaps"
DAEMON_SETS = "/apis/apps/v1/daemonsets"

CHANGED_KEY = "REMOTE HOST IDENTIFICATION HAS CHANGED"
UNKNOWN_KEY = "Host key verification failed"
DENIED = "Permission denied"


def discover(
    given: Given,
    *,
    inventory: Inventory | None = None,
    connect: Callable[[Cluster], Transport] = SshTransport,
    enter: Callable[[Cluster], object] = enter_network_namespace,
) -> Discovered:
    """``connect``: the way to the machines of a cluster whose roles are not known yet.

    Raises DriverError where the kubeconfig cannot be used, RefusedError where the API does not
    answer by it, or what was found or given is no cluster; SpecError where the inventory says
    nothing of it.
    """
    enter(_provisional({"discovery": "192.0.2.1"}, given))
    api = read_api(given)
    if inventory is not None:
        given = inventory.added_to(given, api.nodes)
    addresses = addresses_of(api, given)
    transport = connect(_provisional(addresses, given))
    machines, unread = read_machines(transport, list(addresses))
    return merge(api, machines, unread=unread, given=given)


@dataclass(frozen=True)
class Inventory:
    """What was read of one; ``named``: groups of other names → roles."""

    file: Path
    hosts: Sequence[Host]
    named: Mapping[str, Role]

    def added_to(self, given: Given, nodes: Sequence[KubeNode]) -> Given:
        """What was given outranks it. SpecError where it says nothing of the cluster."""
        found = placed(self.hosts, nodes, named=self.named, file=self.file)
        ssh = {"user": found.user, "port": found.port, "options": found.options, **given.ssh}
        return replace(
            given,
            ssh={key: value for key, value in ssh.items() if value},
            machines={**found.machines, **given.machines},
            addresses=found.addresses,
            notes=found.notes,
        )


def read_api(given: Given) -> ApiFacts:
    """By the kubeconfig's own server, the only one that is known so far."""
    host, port = server_of(given.kubeconfig)
    credentials = KubeCredentials.read(given.kubeconfig)
    tls, headers = credentials.ssl_context(), credentials.headers
    named = Server(f"{given.kubeconfig}: its server {host}:{port}", host)
    server = ApiServer(named, tls=tls, timeout_s=TIMEOUT_S, headers=headers, port=port)
    try:
        return _read(partial(_asked, server))
    finally:
        server.close()


def _read(ask: Callable[..., Mapping[str, Any]]) -> ApiFacts:
    nodes = nodes_of(_items(ask("/api/v1/nodes")))
    name, endpoint = kubeadm_of(ask(f"{CONFIG_MAPS}/kubeadm-config", may_lack=True))
    return ApiFacts(
        nodes=nodes,
        name=name,
        endpoint=endpoint,
        proxy_mode=proxy_mode_of(ask(f"{CONFIG_MAPS}/kube-proxy", may_lack=True)),
        network=network_of(_items(ask(DAEMON_SETS))),
        kube_vip=kube_vip_of(_items(ask(f"{SYSTEM}/pods"))),
    )


def read_machines(
    transport: Transport, names: list[str]
) -> tuple[dict[str, Machine], dict[str, str]]:
    """What each says of itself, all at once; and why some could not be asked."""
    machines, unread = {}, {}
    for name, found in zip(names, at_once(partial(_machine, transport), names), strict=True):
        if isinstance(found, Machine):
            machines[name] = found
        else:
            unread[name] = found
    return machines, unread


def _machine(transport: Transport, name: str) -> Machine | str:
    try:
        files = FileDriver(transport).texts(name, list(FILES))
        addresses = transport.check(name, ["ip", "-j", "addr"], timeout_s=TIMEOUT_S).stdout
        return machine_of(name, files=files, addresses=addresses)
    except (TransportError, DriverError) as error:
        return why_not(str(error))


def why_not(said: str) -> str:
    """ssh's words, and the way out of what is met most."""
    first = said.partition("\n")[0]
    if CHANGED_KEY in said:
        return (
            "its host key has changed since it was noted. If the machine was made anew, take the "
            "old key away with ssh-keygen -R; if not, do not go on"
        )
    if UNKNOWN_KEY in said:
        return (
            "its host key is not known: ssh to it once by hand and compare, or give ssh a file "
            "that has it (--ssh-option=-o --ssh-option=UserKnownHostsFile=FILE)"
        )
    if DENIED in said:
        return (
            "ssh was refused: the key or the user is not that machine's (--ssh-user, "
            "--ssh-option=-i --ssh-option=KEYFILE, or ~/.ssh/config)"
        )
    return first


def _provisional(addresses: Mapping[str, str], given: Given) -> Cluster:
    """As much of a cluster as ssh needs."""
    nodes = [
        {"name": name, "address": address, "roles": ["control-plane"]}
        for name, address in addresses.items()
    ]
    return cluster_of(
        {
            "format": 1,
            "name": "discovery",
            "kubeconfig": given.kubeconfig,
            "virtual_ip": {"address": "192.0.2.1", "port": 1},  # nobody asks for it
            "nodes": nodes,
            "ssh": dict(given.ssh),
            "network_namespace": given.network_namespace,
        }
    )


def _asked(server: ApiServer, path: str, *, may_lack: bool = False) -> Mapping[str, Any]:
    """One GET. RefusedError names what was answered; {} where an object may be lacking."""
    try:
        answer = server.get(path)
    except DriverError as error:
        why = f"{type(error.__cause__).__name__}: {error.__cause__}"
        raise RefusedError(f"{server.node.name} does not answer ({why})") from error
    if answer.status == http.client.NOT_FOUND and may_lack:
        return {}
    if answer.status != http.client.OK:
        raise RefusedError(
            f"{server.node.name} answers {answer.status} for {path}: its user must be allowed to "
            "read that"
        )
    try:
        said = json.loads(answer.body)
    except ValueError as error:
        raise DriverError(f"{server.node.name}: {path} is no JSON: {error}") from error
    return said if isinstance(said, dict) else {}


def _items(said: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    items = said.get("items")
    return list(items) if isinstance(items, list) else []
