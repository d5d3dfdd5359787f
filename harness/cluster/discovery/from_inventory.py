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
    """``addresses``: node of Kubernetes → where ssh goes; ``machines``: the others. ``user``,
    ``port`` and ``options`` are those of all hosts; where they differ or are not said they are
    "", None and (), and ssh decides. ``notes`` are lines for people."""

    addresses: Mapping[str, str]
    machines: Mapping[str, str]
    user: str = ""
    port: int | None = None
    options: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def placed(
    hosts: Sequence[Host],
    nodes: Sequence[KubeNode],
    *,
    named: Mapping[str, Role],
    file: Path,
) -> Placed:
    """``named``: groups of other names → roles. SpecError where no host is in a group that says
    what it is for, or there is none of a name that was given; it lists those that there are."""
    meant = {**GROUPS, **named}
    ours = [host for host in hosts if any(group in meant for group in host.groups)]
    there = sorted({group for host in hosts for group in host.groups})
    lacking = sorted(set(named) - set(there))
    if lacking or not ours:
        example = next((one for one in there if one not in meant), "GROUP")
        raise SpecError(
            file,
            field=f"--group {lacking[0]}" if lacking else "",
            found=f"the groups {', '.join(there) or 'of nobody: no host is in one'}",
            allowed=f"{', '.join(GROUPS)}; or say it by --group control-plane={example}",
        )
    addresses, machines, strange = {}, {}, []
    for host in ours:
        node = next((one for one in nodes if _is(host, one)), None)
        if node is not None:
            addresses[node.name] = host.address
        elif {meant[group] for group in host.groups if group in meant} & BESIDE:
            machines[host.name.lower().replace("_", "-")] = host.address  # as names are
        else:
            strange.append(host.name)
    users, ports = {host.user for host in ours}, {host.port for host in ours}
    options = {host.ssh_options for host in ours}
    counts = {"users": len(users), "ports": len(ports), "ssh options": len(options)}
    return Placed(
        addresses,
        machines,
        user=users.pop() if len(users) == 1 else "",
        port=ports.pop() if len(ports) == 1 else None,
        options=options.pop() if len(options) == 1 else (),
        notes=_notes(counts, strange, file=file),
    )


def _notes(counts: Mapping[str, int], strange: Sequence[str], *, file: Path) -> tuple[str, ...]:
    """What one cluster.yaml, which has one user, port and way for all machines, cannot say; and
    hosts that are nobody."""
    differ = (
        f"{file}: its hosts have {what} that differ: ~/.ssh/config must say them, host by host"
        for what, count in counts.items()
        if count > 1
    )
    nobody = (
        f"{file}: {name} is no node that the API knows by its name or address: passed over"
        for name in strange
    )
    return (*differ, *nobody)


BESIDE = frozenset({Role.ETCD, Role.LOAD_BALANCER})
"""Roles of machines that Kubernetes need not know."""


def _is(host: Host, node: KubeNode) -> bool:
    return host.name == node.name or node.address in (host.address, host.inner)
