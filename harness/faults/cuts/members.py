"""What the faults share that part etcd's members from one another."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.nftables import Drop, Ruleset
from quorate.harness.errors import RefusedError
from quorate.harness.faults.contract import Plan, Proof
from quorate.harness.faults.cuts import shapes
from quorate.harness.faults.cuts.cut import Cut, look, ruleset
from quorate.harness.model.cluster import Cluster, Role


class MembersParted(Cut):
    """Subclasses say which links are lost. Every receiver drops what it must not hear.

    What is judged follows from raft: a member that talks in both directions with none that may
    lead has no leader, and says so itself; if one may lead, one member that may does.
    """

    proved_by: ClassVar[str] = (
        "members cut off from the majority say themselves that they have no leader, one of the "
        "majority says that it leads; the drop rules' packet counters"
    )

    @abstractmethod
    def lost(
        self, cluster: Cluster, *, nodes: Sequence[str], arguments: Mapping[str, object]
    ) -> shapes.Links:
        """The links between members that are lost. RefusedError for what makes no sense here."""

    def members_lost(
        self, cluster: Cluster, *, nodes: Sequence[str], arguments: Mapping[str, object]
    ) -> Sequence[str]:
        return _without_leader(cluster, self.lost(cluster, nodes=nodes, arguments=arguments))

    def links_lost(
        self, cluster: Cluster, *, nodes: Sequence[str], arguments: Mapping[str, object]
    ) -> shapes.Links:
        return self.lost(cluster, nodes=nodes, arguments=arguments)

    def prepare(
        self, drivers: Drivers, *, nodes: Sequence[str], arguments: Mapping[str, object]
    ) -> Mapping[str, str]:
        members = check_members(drivers.cluster, nodes)
        lost = self.lost(drivers.cluster, nodes=nodes, arguments=arguments)
        before = {}
        for name in members:
            found = drivers.etcd.endpoints(name)
            before[f"peer_address:{name}"] = found.address
            before[f"peer_port:{name}"] = str(found.peer_port)
        to = [before[f"peer_address:{name}"] for name in members]
        return {**before, **look(drivers, nodes=list(shapes.receivers(lost)), to=to)}

    def rulesets(self, drivers: Drivers, *, plan: Plan) -> Mapping[str, Ruleset]:
        return {
            receiver: ruleset(plan, receiver, self._unheard(plan, senders, receiver=receiver))
            for receiver, senders in shapes.receivers(self._lost(drivers, plan)).items()
        }

    def seen(self, drivers: Drivers, *, plan: Plan) -> Proof:
        cluster, lost = drivers.cluster, self._lost(drivers, plan)
        told = []
        for name in _without_leader(cluster, lost):
            status = drivers.etcd.member(name)
            if status is None or status.has_leader:
                what = "does not answer" if status is None else "still has a leader"
                return Proof(False, f"the member on {name} {what}")
            told.append(f"the member on {name} has no leader")
        able = shapes.may_lead(names(cluster), lost=lost)
        if able:
            leader = drivers.etcd.leader(able)
            if leader is None:
                return Proof(False, f"none of {', '.join(able)} leads yet, and one could")
            told.append(f"the member on {leader} leads")
        return Proof(True, ", ".join(told))

    def _lost(self, drivers: Drivers, plan: Plan) -> shapes.Links:
        return self.lost(drivers.cluster, nodes=plan.nodes, arguments=plan.arguments)

    @staticmethod
    def _unheard(plan: Plan, senders: Sequence[str], *, receiver: str) -> list[Drop]:
        """Whichever of the two dialled: each member serves on its own peer port."""
        mine = int(plan.before[f"peer_port:{receiver}"])
        drops = []
        for sender in senders:
            address = plan.before[f"peer_address:{sender}"]
            theirs = int(plan.before[f"peer_port:{sender}"])
            drops.append(Drop("in", peer=address, ports=(mine,), port_of="own"))
            drops.append(Drop("in", peer=address, ports=(theirs,), port_of="peer"))
        return drops


def names(cluster: Cluster) -> list[str]:
    """The nodes with an etcd member, in the file's order."""
    return [node.name for node in cluster.with_role(Role.ETCD)]


def check_members(cluster: Cluster, nodes: Sequence[str]) -> list[str]:
    """All members; RefusedError unless each of `nodes` has one."""
    members = names(cluster)
    for node in nodes:
        if node not in members:
            there = ", ".join(members) or "no node of cluster.yaml"
            raise RefusedError(f"{node} has no etcd member; there is one on {there}")
    return members


def _without_leader(cluster: Cluster, lost: shapes.Links) -> list[str]:
    members = names(cluster)
    return [name for name in members if name not in shapes.led(members, lost=lost)]
