"""The cluster under test, as frozen values; the shape of ``cluster.yaml`` (format 1).

No I/O happens here: harness/cluster reads and writes the file. Paths stay as they were written;
``read_cluster`` makes them absolute. pydantic's ValidationError is raised for a bad value and
becomes a SpecError in harness/cluster/file.py.
"""

from __future__ import annotations

import ipaddress
import random
import re
from collections import Counter
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

HARNESS = "harness"
"""The name that stands for the machine quorate runs on, wherever a node's name is asked for."""

_NAME = r"^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$"
_HOST_NAME = re.compile(r"^(?!-)[A-Za-z0-9-]{1,63}(\.(?!-)[A-Za-z0-9-]{1,63})*$")


class Role(StrEnum):
    """What a node does in the cluster."""

    CONTROL_PLANE = "control-plane"
    ETCD = "etcd"
    LOAD_BALANCER = "load-balancer"
    WORKER = "worker"


def _is_ip_address(text: str) -> str:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        raise ValueError("an IPv4 or IPv6 address") from None
    return text


def _is_host(text: str) -> str:
    # A leading '-' would be read as an option by ssh; digits and dots only must be a real address.
    if not _HOST_NAME.match(text) or not re.search(r"[A-Za-z]", text):
        try:
            ipaddress.ip_address(text)
        except ValueError:
            raise ValueError("an IP address or a host name") from None
    return text


def _says_action_and_node(command: tuple[str, ...]) -> tuple[str, ...]:
    joined = " ".join(command)
    if "{action}" not in joined or "{node}" not in joined:
        raise ValueError("a command that holds {action} and {node}")
    return command


Name = Annotated[str, Field(pattern=_NAME)]
IPAddress = Annotated[str, AfterValidator(_is_ip_address)]
Host = Annotated[str, AfterValidator(_is_host)]
Port = Annotated[int, Field(ge=1, le=65535)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Node(_Frozen):
    """One machine: its name in the cluster, the address that ssh goes to, what it does."""

    name: Name
    address: Host
    roles: Annotated[tuple[Role, ...], Field(min_length=1)]

    def has(self, role: Role) -> bool:
        """Whether the node carries the role."""
        return role in self.roles

    @property
    def has_kubelet(self) -> bool:
        """Whether Kubernetes knows the machine; etcd and load balancers may have their own."""
        return self.has(Role.CONTROL_PLANE) or self.has(Role.WORKER)


class VirtualIP(_Frozen):
    """The address and TCP port at which clients reach the API, wherever it lives now."""

    address: IPAddress
    port: Port


class Ssh(_Frozen):
    """How to reach the nodes; what is left out is decided by the user's ``~/.ssh/config``.

    ``options`` are words of ssh's own command line, put before ours, so that they win.
    """

    user: str | None = Field(default=None, pattern=r"^[A-Za-z_][A-Za-z0-9_.-]*$")
    port: Port | None = None
    options: tuple[str, ...] = ()


class Power(_Frozen):
    """The power switch of the machines: a command that runs beside the harness."""

    command: Annotated[tuple[str, ...], Field(min_length=1), AfterValidator(_says_action_and_node)]

    def argv(self, action: Literal["on", "off"], *, node: str) -> tuple[str, ...]:
        """The command for one action on one node; each word is replaced on its own, no shell."""
        return tuple(
            word.replace("{action}", action).replace("{node}", node) for word in self.command
        )


class HAProxy(_Frozen):
    """Where each load balancer tells about itself.

    ``stats_socket`` is on the node; ``monitor_uri`` is HAProxy's own health on ``monitor_port``
    and says nothing of its backends. Defaults: Debian's package and the lab.
    """

    stats_socket: Path = Path("/run/haproxy/admin.sock")
    monitor_port: Port = 8404
    monitor_uri: Annotated[str, Field(pattern=r"^/")] = "/up"


class Nginx(_Frozen):
    """The same of an Nginx that balances by its stream module: it has no admin socket to ask.

    ``monitor_uri`` is a location of its own that answers 200 and asks nobody. Defaults: the lab.
    """

    monitor_port: Port = 8404
    monitor_uri: Annotated[str, Field(pattern=r"^/")] = "/up"


NODE_PORTS = (30100, 32768)
"""Kubernetes' default ``--service-node-port-range`` without its first ports: it leaves those to
people's own choices (KEP-3668)."""


class Service(_Frozen):
    """What the service under watch (ours, deployed by a run that asks it) is made of here.

    ``image``: with its registry, anything with busybox's sh, httpd and nslookup; pulled where it
    is not there. ``node_port``: one that is free in the whole cluster; 0: another one for each
    run, so that no run meets what the nodes' NAT remembers of the one before (conntrack keeps a
    half-made connection for 120 s; seen on the lab: requests sent to pods that were gone).
    ``sampler_image``: what probes are asked from with ``from: pod:…``; anything with python3 of 3.8
    or newer and its ssl.
    """

    image: Annotated[str, Field(min_length=1)] = "quorate.local/busybox:1"
    node_port: Annotated[int, Field(ge=0, le=65535)] = 0
    sampler_image: Annotated[str, Field(min_length=1)] = "quorate.local/python:3"


class Limits(_Frozen):
    """How much a run may break here at once, unless the experiment says ``beyond_tolerance``.

    ``nodes_at_once``: how many machines may have a fault on at the same time.
    ``healthy_control_planes``: how many API servers must be left; etcd's quorum is kept anyway.
    """

    nodes_at_once: Annotated[int, Field(ge=1)] = 1
    healthy_control_planes: Annotated[int, Field(ge=0)] = 1


class Cluster(_Frozen):
    """Everything that quorate is told about a cluster; the rest it finds out live."""

    format: Literal[1]
    name: Name
    kubeconfig: Path
    virtual_ip: VirtualIP
    nodes: Annotated[tuple[Node, ...], Field(min_length=1)]
    ssh: Ssh = Ssh()
    power: Power | None = None
    network_namespace: Path | None = None
    ca: Path | None = None
    """Authorities (PEM) by which the certificates of URLs under watch are verified; None: the
    system's."""
    balancer: Literal["haproxy", "nginx"] = "haproxy"
    """What balances at the VIP, on every node with the role load-balancer."""
    haproxy: HAProxy = HAProxy()
    nginx: Nginx = Nginx()
    service: Service = Service()
    limits: Limits = Limits()

    @model_validator(mode="after")
    def _nodes_make_sense(self) -> Self:
        for what, values in (
            ("name", [node.name for node in self.nodes]),
            ("address", [node.address for node in self.nodes]),
        ):
            twice = [value for value, count in Counter(values).items() if count > 1]
            if twice:
                raise ValueError(f"each node with a {what} of its own; twice: {', '.join(twice)}")
        if any(node.name == HARNESS for node in self.nodes):
            raise ValueError(f"no node named {HARNESS!r}: it stands for the machine quorate is on")
        if not self.with_role(Role.CONTROL_PLANE):
            raise ValueError("at least one node with the role control-plane")
        return self

    def node(self, name: str) -> Node:
        """The node of that name; KeyError where there is none."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise KeyError(name)

    def with_role(self, role: Role) -> tuple[Node, ...]:
        """The nodes that carry the role, in the file's order."""
        return tuple(node for node in self.nodes if node.has(role))

    def with_node_port(self, *, seed: int) -> Self:
        """The same with a NodePort for the service under watch, drawn where none is declared."""
        if self.service.node_port:
            return self
        drawn = random.Random(f"{seed}:node_port").randrange(*NODE_PORTS)
        return self.model_copy(
            update={"service": self.service.model_copy(update={"node_port": drawn})}
        )

    @property
    def monitor_url(self) -> str:
        """Where the balancer tells of its own health, asked on its node."""
        monitor = self.nginx if self.balancer == "nginx" else self.haproxy
        return f"http://127.0.0.1:{monitor.monitor_port}{monitor.monitor_uri}"

    @property
    def control_planes(self) -> tuple[Node, ...]:
        """Nodes with an API server."""
        return self.with_role(Role.CONTROL_PLANE)

    @property
    def may_hold_vip(self) -> tuple[Node, ...]:
        """Nodes where the VIP can be: the load balancers may be machines of their own."""
        return tuple(
            node
            for node in self.nodes
            if node.has(Role.LOAD_BALANCER) or node.has(Role.CONTROL_PLANE)
        )

    @property
    def workers(self) -> tuple[Node, ...]:
        """Nodes that run the users' pods."""
        return self.with_role(Role.WORKER)
