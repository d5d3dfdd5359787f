"""What a fault meets with when it strikes: who holds and leads what, and who is on the target."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from quorate.harness.model.cluster import Cluster, Node, Role
from quorate.harness.model.touch import Part, Touch, Way
from quorate.harness.predict.cluster_facts import Unpredicted
from quorate.harness.predict.formulas import Bound


@dataclass(frozen=True)
class Situation:
    """One fault on `nodes`, as things were just before."""

    touch: Touch
    nodes: tuple[str, ...]
    cluster: Cluster
    vip_holder: str | None
    etcd_leader: str | None
    members_lost: tuple[str, ...] = ()
    """Nodes whose etcd member then has no leader, or is gone."""
    may_lead: tuple[str, ...] = ()
    """Nodes whose etcd member can lead then."""
    backups: Collection[str] = ()
    """Nodes whose keepalived runs."""
    lease_holders: Mapping[str, str | None] = field(default_factory=dict)
    """Lease → the node that holds it."""

    def touches(self, part: Part, *ways: Way) -> bool:
        """Whether the fault touches this part, in one of these ways (any, where none is given)."""
        return self.touch.part is part and (not ways or self.touch.way in ways)

    @property
    def hits_holder(self) -> bool:
        """Whether the VIP's holder is a target. Raises Unpredicted where nobody knows."""
        if self.vip_holder is None:
            raise Unpredicted("who holds the VIP is not known")
        return self.vip_holder in self.nodes

    @property
    def loses_leader(self) -> bool:
        """Whether etcd's leader cannot lead any more. Raises Unpredicted where nobody knows it, or
        where no other one can."""
        count = len(self.cluster.with_role(Role.ETCD))
        if len(self.may_lead) == count:
            return False
        if not self.may_lead:
            raise Unpredicted(
                f"no {count // 2 + 1} of {count} etcd members are left that reach one another: "
                "nothing is answered before the undo"
            )
        if self.etcd_leader is None:
            raise Unpredicted("who leads etcd is not known")
        return self.etcd_leader not in self.may_lead

    def targets(self, role: Role) -> list[Node]:
        """Those of the nodes that have a role."""
        return [node for node in self.cluster.with_role(role) if node.name in self.nodes]

    @property
    def machine_gone(self) -> bool:
        """Whether the nodes answer nothing any more."""
        return self.touches(Part.MACHINE, Way.SILENT)


@dataclass(frozen=True)
class Asked:
    """One probe, judged at one deadline. `entry`: the node that a service's path enters at."""

    probe: str
    path: str
    reused: bool
    deadline_s: float
    period_s: float
    gives_up_s: float
    """How long the sampler waits for an answer before it drops a kept connection."""
    entry: str | None = None


@dataclass(frozen=True)
class Cost:
    """How long one component may keep a probe from answers; [0, 0]: not at all."""

    component: str
    bound: Bound
