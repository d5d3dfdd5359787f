"""What an inventory adds to what the API knows: where ssh goes, as whom, and machines that are no
nodes of Kubernetes. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from quorate.harness.cluster.discovery.from_api import KubeNode
from quorate.harness.cluster.inventories.host import Host
from quorate.harness.errors import SpecError
from quorate.harness.model.cluster import Role

GROUPS: Mapping[str, Role] = {
    **dict.fromkeys(
        ("kube_control_plane", "kube-master", "kube_master", "controlplane", "control_plane"),
        Role.CONTROL_PLANE,
    ),
    **dict.fromkeys(("kube_node", "kube-node", "worker", "workers"), Role.WORKER),
    **dict.fromkeys(("etcd",), Role.ETCD),
    **dict.fromkeys(
        ("loadbalancer", "loadbalancers", "load_balancers", "lb", "haproxy"), Role.LOAD_BALANCER
    ),
}
"""Groups as Kubespray (also before 2.19), RKE and many others call them."""


@dataclass(frozen=True)
class Placed:
    """``addresses``: node of Kubernetes → where ssh goes; ``machines``: the others. ``user`` and
    ``port`` are those of all hosts, "" and None where they differ or are not said."""

    addresses: Mapping[str, str]
    machines: Mapping[str, str]
    user: str = ""
    port: int | None = None


def placed(
    hosts: Sequence[Host],
    nodes: Sequence[KubeNode],
    *,
    named: Mapping[str, Role],
    file: Path,
) -> Placed:
    """``named``: groups of other names → roles. SpecError where no host is in a group that says
    what it is for; it lists those that there are."""
    meant = {**GROUPS, **named}
    ours = [host for host in hosts if any(group in meant for group in host.groups)]
    if not ours:
        there = sorted({group for host in hosts for group in host.groups}) or ["none at all"]
        raise SpecError(
            file,
            field="",
            found=f"the groups {', '.join(there)}",
            allowed=f"{', '.join(GROUPS)}; or say it by --group control-plane={there[0]}",
        )
    addresses, machines = {}, {}
    for host in ours:
        node = next((one for one in nodes if _is(host, one)), None)
        if node is not None:
            addresses[node.name] = host.address
        elif {meant[group] for group in host.groups if group in meant} & BESIDE:
            machines[host.name] = host.address
    users, ports = {host.user for host in ours}, {host.port for host in ours}
    return Placed(
        addresses,
        machines,
        user=users.pop() if len(users) == 1 else "",
        port=ports.pop() if len(ports) == 1 else None,
    )


BESIDE = frozenset({Role.ETCD, Role.LOAD_BALANCER})
"""Roles of machines that Kubernetes need not know."""


def _is(host: Host, node: KubeNode) -> bool:
    return host.name == node.name or node.address in (host.address, host.inner)
