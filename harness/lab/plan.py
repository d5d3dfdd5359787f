"""The plan of a lab: machines, addresses and paths, derived from its spec. Pure.

::

    client 10.77.0.2 --+
                       |        VIP 10.77.0.100:8443 (keepalived), HAProxy on every control plane
    cp1    10.77.0.11 -+-- br0 (a bridge in the namespace "switch"; attached to nothing else)
    cp2    10.77.0.12 -+
    w1     10.77.0.21 -+
    e1     10.77.0.31 -+        only with an etcd on machines of its own
    lb1    10.77.0.41 -+        only with load balancers on machines of their own

Each lab has a switch of its own, so that every lab can use the same addresses.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from quorate.harness.lab.spec import LabSpec
from quorate.harness.model.cluster import Role

SUBNET = "10.77.0"
CLIENT_ADDRESS = f"{SUBNET}.2"
VIP_ADDRESS = f"{SUBNET}.100"
API_PORT = 6443
VIP_PORT = 8443
MONITOR_PORT = 8404
METRICS_URL = "http://127.0.0.1:2381"  # of each etcd member, as kubeadm has it
POD_CIDR = "10.244.0.0/16"
SERVICE_CIDR = "10.96.0.0/16"
IMAGE_REPOSITORY = "quorate.local"  # nothing answers under this name: an image can never be pulled


@dataclass(frozen=True)
class NodePlan:
    """One machine of the lab.

    Attributes:
        index: 1-based over all machines; gives the pod network ``10.244.<index>.0/24``.
        priority: of VRRP, 0 where the VIP is never held.
    """

    name: str
    address: str
    index: int
    roles: tuple[Role, ...]
    priority: int = 0

    @property
    def control_plane(self) -> bool:
        return Role.CONTROL_PLANE in self.roles

    @property
    def has_kubelet(self) -> bool:
        return self.control_plane or Role.WORKER in self.roles

    @property
    def has_etcd(self) -> bool:
        return Role.ETCD in self.roles

    @property
    def balances(self) -> bool:
        return Role.LOAD_BALANCER in self.roles

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
        spec = self.spec
        serving = [Role.CONTROL_PLANE]
        serving += [] if spec.members else [Role.ETCD]
        serving += [] if spec.load_balancers else [Role.LOAD_BALANCER]
        kinds = (
            ("cp", 10, spec.control_planes, tuple(serving)),
            ("w", 20, spec.workers, (Role.WORKER,)),
            ("e", 30, spec.members, (Role.ETCD,)),
            ("lb", 40, spec.load_balancers, (Role.LOAD_BALANCER,)),
        )
        nodes: list[NodePlan] = []
        for word, base, count, roles in kinds:
            for i in range(1, count + 1):
                priority = 101 - i if Role.LOAD_BALANCER in roles else 0
                address = f"{SUBNET}.{base + i}"
                nodes.append(NodePlan(f"{word}{i}", address, len(nodes) + 1, roles, priority))
        return tuple(nodes)

    @property
    def control_planes(self) -> tuple[NodePlan, ...]:
        return tuple(node for node in self.nodes if node.control_plane)

    @property
    def workers(self) -> tuple[NodePlan, ...]:
        return tuple(node for node in self.nodes if Role.WORKER in node.roles)

    @property
    def kubernetes_nodes(self) -> tuple[NodePlan, ...]:
        return tuple(node for node in self.nodes if node.has_kubelet)

    @property
    def members(self) -> tuple[NodePlan, ...]:
        """Where etcd runs."""
        return tuple(node for node in self.nodes if node.has_etcd)

    @property
    def balancers(self) -> tuple[NodePlan, ...]:
        """Where the VIP can be."""
        return tuple(node for node in self.nodes if node.balances)

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
