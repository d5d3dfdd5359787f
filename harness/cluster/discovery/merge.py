"""What the API and the machines say, as one cluster; what is missing is named with the option that
answers it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from quorate.harness.cluster.discovery.from_api import ApiFacts, KubeNode, is_address
from quorate.harness.cluster.discovery.from_nodes import Machine
from quorate.harness.errors import RefusedError
from quorate.harness.model.cluster import Cluster, HAProxy, Role


@dataclass(frozen=True)
class Given:
    """What cannot be found out, or what somebody knows better. ``machines``: name → address of
    those that are no nodes of Kubernetes; ``roles``: node → all of its roles."""

    kubeconfig: Path
    name: str = ""
    virtual_ip: tuple[str, int] | None = None
    ssh: Mapping[str, object] = field(default_factory=dict)
    power: tuple[str, ...] = ()
    network_namespace: Path | None = None
    ca: Path | None = None
    machines: Mapping[str, str] = field(default_factory=dict)
    roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    addresses: Mapping[str, str] = field(default_factory=dict)
    """Node of Kubernetes → where ssh goes, where that is another than its InternalIP."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Discovered:
    """``cluster`` is None while something in ``missing`` is not answered. ``found`` and ``notes``
    are lines for people."""

    cluster: Cluster | None
    found: tuple[str, ...]
    missing: tuple[str, ...]
    notes: tuple[str, ...]


def merge(
    api: ApiFacts, machines: Mapping[str, Machine], *, unread: Mapping[str, str], given: Given
) -> Discovered:
    """``unread``: machine → why it could not be asked."""
    missing, notes = [], list(given.notes)
    addresses = addresses_of(api, given)
    vip = given.virtual_ip or _virtual_ip(api, machines)
    if vip is None:
        missing.append(_no_vip(api))
    nodes = []
    for name, address in addresses.items():
        kube = next((one for one in api.nodes if one.name == name), None)
        roles = given.roles.get(name) or _roles(kube, machines.get(name), vip)
        if name in unread and name not in given.roles and (kube is None or kube.control_plane):
            missing.append(
                f"the roles of {name}, which could not be asked ({unread[name]}): "
                f"--role {name}=control-plane,etcd,load-balancer, or whatever it is"
            )
        elif not roles:
            missing.append(f"what {name} is for: --role {name}=etcd, or load-balancer")
        nodes.append({"name": name, "address": address, "roles": list(roles)})
    nodes.sort(key=_order)
    missing += [
        f"a machine called {name}, as --role has it: there are {', '.join(addresses)}"
        for name in given.roles
        if name not in addresses
    ]
    missing += [
        f"the machine with the etcd member {address}: --machine NAME={address}"
        for address in _strangers(api, machines, addresses)
    ]
    balancers = [one for one in nodes if Role.LOAD_BALANCER in one["roles"]]
    if not balancers and vip is not None:
        notes.append(
            "no load balancer was found: faults of HAProxy and keepalived are refused; one on a "
            "machine of its own is named by --machine NAME=ADDRESS"
        )
    notes += _notes(api, machines, unread=unread, vip=vip)
    cluster = None if missing or vip is None else _cluster(api, machines, given, nodes, vip)
    return Discovered(
        cluster, tuple(_found(api, machines, nodes, vip)), tuple(missing), tuple(notes)
    )


def addresses_of(api: ApiFacts, given: Given) -> dict[str, str]:
    """Every machine, and where ssh goes."""
    own = {node.name: given.addresses.get(node.name, node.address) for node in api.nodes}
    return own | dict(given.machines)


def _cluster(
    api: ApiFacts,
    machines: Mapping[str, Machine],
    given: Given,
    nodes: Sequence[Mapping[str, object]],
    vip: tuple[str, int],
) -> Cluster:
    told = next((one.haproxy for one in machines.values() if one.haproxy is not None), HAProxy())
    balancing = {m.balancer for m in machines.values() if m.balancer and _may_hold(m, vip)}
    data: dict[str, object] = {
        "format": 1,
        "name": given.name or api.name or "kubernetes",
        "kubeconfig": given.kubeconfig,
        "virtual_ip": {"address": vip[0], "port": vip[1]},
        "nodes": nodes,
        "ssh": dict(given.ssh),
        "haproxy": told,
        "balancer": "nginx" if balancing == {"nginx"} else "haproxy",
        "network_namespace": given.network_namespace,
        "ca": given.ca,
    }
    if given.power:
        data["power"] = {"command": given.power}
    return cluster_of(data)


def cluster_of(data: Mapping[str, object]) -> Cluster:
    """RefusedError where what was found, or given, is no cluster; it names each field."""
    try:
        return Cluster.model_validate(data)
    except ValidationError as error:
        raise RefusedError(
            f"no cluster.yaml can hold what was found or given, so nothing was written: "
            f"{'; '.join(map(_problem, error.errors()))}. --name, --vip, --machine, --role and the "
            "options of ssh say it otherwise"
        ) from None


def _problem(one: ErrorDetails) -> str:
    field = ".".join(map(str, one["loc"])) or "the whole"
    found = f" {one['input']!r}:" if isinstance(one["input"], str | int) else ""
    return f"{field}:{found} {one['msg']}"


def _virtual_ip(api: ApiFacts, machines: Mapping[str, Machine]) -> tuple[str, int] | None:
    """The endpoint where it is an address; else the one address that all keepalived know."""
    host, port = api.endpoint
    if api.kube_vip:
        return api.kube_vip, port or 6443
    held = {
        address.partition("/")[0]
        for one in machines.values()
        if one.keepalived is not None
        for instance in one.keepalived.instances
        for address in instance.virtual_addresses
    }
    if is_address(host):
        return host, port
    if len(held) == 1 and port:
        return held.pop(), port
    return None


def _no_vip(api: ApiFacts) -> str:
    host, port = api.endpoint
    if not host:
        return (
            "the address at which clients reach the API: kubeadm has no controlPlaneEndpoint, so "
            "there is no VIP; --vip ADDRESS:PORT names a load balancer's, if there is one"
        )
    return (
        f"the address of {host}:{port}, which is no virtual IP that keepalived or kube-vip hold (a "
        f"cloud's load balancer?): --vip ADDRESS:{port}. Faults of the VIP are refused there, "
        "those of API servers, etcd and workers are not"
    )


def _roles(
    kube: KubeNode | None, machine: Machine | None, vip: tuple[str, int] | None
) -> tuple[str, ...]:
    roles = []
    if kube is not None and kube.control_plane:
        roles.append(Role.CONTROL_PLANE)
    if machine is not None and machine.etcd:
        roles.append(Role.ETCD)
    if machine is not None and machine.balancer and _may_hold(machine, vip):
        roles.append(Role.LOAD_BALANCER)
    if kube is not None and kube.works:
        roles.append(Role.WORKER)
    return tuple(roles)


def _may_hold(machine: Machine, vip: tuple[str, int] | None) -> bool:
    """A balancer of the API: keepalived would give it the VIP. (One on each worker, as Kubespray
    makes them, serves that worker alone.)"""
    if vip is None or machine.keepalived is None:
        return False
    return machine.keepalived.holding(vip[0]) is not None


def _order(node: Mapping[str, object]) -> tuple[int, str]:
    roles = node["roles"]
    assert isinstance(roles, list)
    ranks = [Role.CONTROL_PLANE, Role.WORKER, Role.ETCD, Role.LOAD_BALANCER]
    return min((ranks.index(Role(role)) for role in roles), default=len(ranks)), str(node["name"])


def _strangers(
    api: ApiFacts, machines: Mapping[str, Machine], addresses: Mapping[str, str]
) -> list[str]:
    asked = {one for machine in machines.values() for one in machine.etcd_servers}
    known = set(addresses.values()) | {a for one in machines.values() for a in one.addresses}
    return sorted(asked - known)


def _holders(machines: Mapping[str, Machine], vip: tuple[str, int] | None) -> list[str]:
    return [name for name, one in machines.items() if vip and vip[0] in one.addresses]


def _found(
    api: ApiFacts,
    machines: Mapping[str, Machine],
    nodes: Sequence[Mapping[str, object]],
    vip: tuple[str, int] | None,
) -> list[str]:
    versions = sorted({node.version for node in api.nodes})
    runtimes = sorted({node.runtime for node in api.nodes})
    etcd = [one["name"] for one in nodes if Role.ETCD in _roles_in(one)]
    stacked = {one["name"] for one in nodes if Role.CONTROL_PLANE in _roles_in(one)} & set(etcd)
    certificate = next((m.etcd_certificate for m in machines.values() if m.etcd_certificate), "")
    lines = [f"{one['name']} ({one['address']}): {', '.join(_roles_in(one))}" for one in nodes]
    if vip is not None:
        holder = ", ".join(_holders(machines, vip)) or "none of the machines asked"
        lines.append(f"virtual IP {vip[0]} port {vip[1]}, held by {holder}")
    keeper = "kube-vip" if api.kube_vip else ""
    keeper = keeper or ("keepalived" if any(m.keepalived for m in machines.values()) else "nobody")
    balancers = sorted({m.balancer for m in machines.values() if m.balancer})
    lines += [
        f"the VIP is kept by {keeper}; load balancers: {', '.join(balancers) or 'none'}",
        f"Kubernetes {', '.join(versions)}; container runtime {', '.join(runtimes)}",
        f"etcd {'stacked' if stacked else 'external'} on {', '.join(map(str, etcd)) or 'nobody'}"
        + (f" (API servers use {certificate})" if certificate else ""),
        f"pod network: {', '.join(api.network) or 'none that is known by name'}",
        f"kube-proxy: {api.proxy_mode or 'not found'}",
    ]
    return lines


def _roles_in(node: Mapping[str, object]) -> list[str]:
    roles = node["roles"]
    assert isinstance(roles, list)
    return [str(role) for role in roles]


def _notes(
    api: ApiFacts,
    machines: Mapping[str, Machine],
    *,
    unread: Mapping[str, str],
    vip: tuple[str, int] | None,
) -> list[str]:
    notes = [f"{name} could not be asked: {why}" for name, why in unread.items()]
    planes = [node.name for node in api.nodes if node.control_plane]
    if len(planes) == 1:
        notes.append(f"{planes[0]} is the only control plane: losing it is an outage by design")
    if any(one.balancer == "nginx" for one in machines.values()):
        notes.append("the load balancer is Nginx: faults and states of HAProxy are refused")
    if api.kube_vip:
        notes.append("the VIP is kube-vip's: faults of keepalived are refused")
    holders = _holders(machines, vip)
    if len(holders) > 1:
        notes.append(f"two hold the virtual IP at once: {', '.join(holders)}")
    return notes
