"""All that the rules look at. What was not read is None, or not there, and stands in ``unread``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from quorate.harness.model.cluster import Cluster
from quorate.harness.model.etcd_members import EtcdMember, EtcdStatus
from quorate.harness.model.public_files import PublicFiles
from quorate.harness.predict.cluster_facts import ClusterFacts
from quorate.harness.predict.facts import VrrpInstance

Amounts = Mapping[str, float]
"""Resource → how much: cores of cpu, bytes of memory, number of pods."""


@dataclass(frozen=True)
class Terms:
    """What the user asks for: days that certificates must be good for, age of the newest backup."""

    certificate_days: float = 30.0
    backup_max_age_s: float = 24 * 3600.0
    backup_places: tuple[str, ...] = ()


@dataclass(frozen=True)
class Backup:
    """A snapshot's file. ``age_s`` by its node's own clock."""

    node: str
    path: str
    age_s: float


@dataclass(frozen=True)
class EtcdState:
    """``members`` and ``alarms`` (in words) as the first member that answers has them."""

    members: tuple[EtcdMember, ...] | None = None
    alarms: tuple[str, ...] | None = None
    statuses: Mapping[str, EtcdStatus] = field(default_factory=dict)
    """Node → what its member says."""
    backups: tuple[Backup, ...] | None = None


@dataclass(frozen=True)
class NodeObject:
    """A Node of the API. ``works``: ready, not cordoned, no taint that keeps pods off."""

    name: str
    ready: bool
    works: bool
    allocatable: Amounts


@dataclass(frozen=True)
class Pod:
    """``moves``: something would make it again elsewhere (no DaemonSet, no static pod).
    ``unreachable_s``: how long it is left on a node that is unreachable, None for ever."""

    name: str
    node: str
    ready: bool = True
    moves: bool = True
    unreachable_s: float | None = 300.0
    requests: Amounts = field(default_factory=dict)


@dataclass(frozen=True)
class Workload:
    """A Deployment or StatefulSet, with its pods that are not ending.

    ``apart``: it says something about spreading (anti-affinity or topologySpreadConstraints).
    ``unprobed``: containers without readinessProbe. ``budgets``: those over its pods.
    """

    kind: str
    name: str
    replicas: int
    pods: tuple[Pod, ...] = ()
    apart: bool = False
    unprobed: tuple[str, ...] = ()
    budgets: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """As `kubectl get` would be asked."""
        return f"{self.kind} {self.name}"


@dataclass(frozen=True)
class Budget:
    """A PodDisruptionBudget. ``says``: its spec in words; numbers are of its status."""

    name: str
    says: str
    allowed: int
    healthy: int
    desired: int
    expected: int


@dataclass(frozen=True)
class Webhook:
    """One webhook that admits objects. ``service``: namespace/name, None for one that is a URL.
    ``pods``: those behind the service. ``covers_system``: it is asked about pods of kube-system."""

    name: str
    fails: bool
    service: str | None
    pods: tuple[Pod, ...] = ()
    covers_system: bool = False
    timeout_s: float = 10.0


@dataclass(frozen=True)
class AuditFacts:
    """One cluster at one time."""

    cluster: Cluster
    configuration: ClusterFacts
    now: datetime
    terms: Terms = Terms()
    vip_holders: tuple[str, ...] | None = None
    apiservers_ready: Mapping[str, bool] = field(default_factory=dict)
    etcd: EtcdState = EtcdState()
    public: Mapping[str, PublicFiles] = field(default_factory=dict)
    """Node → what is public of its certificates and kubeconfigs."""
    nodes: tuple[NodeObject, ...] | None = None
    pods: tuple[Pod, ...] | None = None
    dns: Workload | None = None
    workloads: tuple[Workload, ...] = ()
    budgets: tuple[Budget, ...] = ()
    webhooks: tuple[Webhook, ...] = ()
    unread: Mapping[str, str] = field(default_factory=dict)
    """What → why it could not be read."""

    @property
    def vrrp(self) -> Mapping[str, VrrpInstance]:
        """Node → what carries the virtual address there; nodes without it are left out."""
        address = self.configuration.virtual_address
        found = {
            node: facts.holding(address) for node, facts in self.configuration.keepalived.items()
        }
        return {node: one for node, one in found.items() if one is not None}
