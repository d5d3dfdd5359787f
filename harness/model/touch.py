"""What a fault touches, and how: words that faults state and predictions rest on.

Faults and predictions do not know each other; run/forecast.py brings the two together.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Part(StrEnum):
    """A part of the cluster; the nodes are the fault's target."""

    MACHINE = "machine"
    KEEPALIVED = "keepalived"
    VIP = "vip"
    """The way to the virtual address, on the node that holds it."""
    BALANCER = "balancer"
    """HAProxy or Nginx."""
    BACKEND = "haproxy_backend"
    """The server of the node, in every load balancer's list."""
    APISERVER = "apiserver"
    ETCD = "etcd"
    SCHEDULER = "kube-scheduler"
    CONTROLLER_MANAGER = "kube-controller-manager"
    KUBELET = "kubelet"
    CONTAINER_RUNTIME = "container runtime"
    PODS = "pods"


class Way(StrEnum):
    """How others meet with the part from then on."""

    SILENT = "silent"
    """What is sent to it is lost, and what it sends."""
    ENDED = "ended"
    """Its process is gone: connections are reset, new ones refused."""
    HUNG = "hung"
    """Connections are accepted, nothing is answered."""
    LEFT = "left"
    """It goes in order, and says goodbye where it has one to say."""


@dataclass(frozen=True)
class Touch:
    """One part, in one way. `pods`: namespace and label selector, where only such pods are meant;
    None: all that a drain moves."""

    part: Part
    way: Way
    pods: tuple[str, str] | None = None
