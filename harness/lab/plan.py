"""The plan of a lab: machines, addresses and paths, derived from its spec. Pure.

::

    client 10.77.0.2 --+
                       |        VIP 10.77.0.100:8443 (keepalived), HAProxy on every control plane
    cp1    10.77.0.11 -+-- br0 (a bridge in the namespace "switch"; attached to nothing else)
    cp2    10.77.0.12 -+
    w1     10.77.0.21 -+

Each lab has a switch of its own, so that every lab can use the same addresses.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from quorate.harness.lab.spec import LabSpec

SUBNET = "10.77.0"
CLIENT_ADDRESS = f"{SUBNET}.2"
VIP_ADDRESS = f"{SUBNET}.100"
API_PORT = 6443
VIP_PORT = 8443
MONITOR_PORT = 8404
POD_CIDR = "10.244.0.0/16"
SERVICE_CIDR = "10.96.0.0/16"
IMAGE_REPOSITORY = "quorate.local"  # nothing answers under this name: an image can never be pulled


@dataclass(frozen=True)
class NodePlan:
    """One machine of the lab.

    Attributes:
        index: 1-based over all machines; gives the pod network ``10.244.<index>.0/24``.
        priority: of VRRP, 0 on workers.
    """

    name: str
    address: str
    index: int
    control_plane: bool
    priority: int = 0

    @property
    def mac(self) -> str:
        """A locally administered address that a power cycle keeps, as hardware would."""
        return "02:71:00:00:00:" + format(int(self.address.rsplit(".", 1)[1]), "02x")

    @property
    def pod_cidr(self) -> str:
        return f"10.244.{self.index}.0/24"

    @property
    def pod_gateway(self) -> str:
        return f"10.244.{self.index}.1"

    @property
    def roles(self) -> list[str]:
        return ["control-plane", "etcd", "load-balancer"] if self.control_plane else ["worker"]


@dataclass(frozen=True)
class LabPlan:
    """All that follows from a spec and from where the lab may write.

    Attributes:
        home: the lab's directory; everything durable lies in it.
        run: the lab's directory for what does not outlive a boot of the host.
        seed: random text, made once per lab; every id and token of the lab derives from it.
    """

    spec: LabSpec
    home: Path
    run: Path
    seed: str

    @property
    def nodes(self) -> tuple[NodePlan, ...]:
        control_planes = [
            NodePlan(f"cp{i}", f"{SUBNET}.{10 + i}", i, True, priority=101 - i)
            for i in range(1, self.spec.control_planes + 1)
        ]
        first = self.spec.control_planes
        workers = [
            NodePlan(f"w{i}", f"{SUBNET}.{20 + i}", first + i, False)
            for i in range(1, self.spec.workers + 1)
        ]
        return (*control_planes, *workers)

    @property
    def control_planes(self) -> tuple[NodePlan, ...]:
        return tuple(node for node in self.nodes if node.control_plane)

    @property
    def workers(self) -> tuple[NodePlan, ...]:
        return tuple(node for node in self.nodes if not node.control_plane)

    def node(self, name: str) -> NodePlan | None:
        return next((node for node in self.nodes if node.name == name), None)

    def namespace(self, name: str) -> Path:
        """The file that holds the network namespace of a node, ``switch`` or ``client``."""
        return self.run / "net" / name

    def container(self, node: str) -> str:
        return f"quorate-{self.spec.name}-{node}"

    def node_home(self, node: str) -> Path:
        return self.home / "nodes" / node

    def secret(self, purpose: str, length: int) -> str:
        """A stable hexadecimal string for ids that have to differ between labs and machines."""
        return hashlib.sha256(f"{self.seed}:{purpose}".encode()).hexdigest()[:length]


def cgroup_path(plan: LabPlan, node: str, *, systemd: bool) -> str:
    """Where runc puts a node's cgroup: a path (cgroupfs) or ``slice:prefix:name`` (systemd)."""
    if systemd:
        return f"system.slice:quorate:{plan.spec.name}-{node}"
    return f"/quorate/{plan.spec.name}/{node}"
