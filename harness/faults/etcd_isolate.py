"""etcd_isolate: one member is cut off from its peers and from every client but its own machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.nftables import Ruleset, service
from quorate.harness.faults.contract import Plan, Proof
from quorate.harness.faults.cuts.cut import Cut, look, others, ruleset
from quorate.harness.faults.cuts.members import check_members
from quorate.harness.model.touch import Part, Touch, Way


class EtcdIsolate(Cut):
    """Its peer and client ports on the node's links, whoever dialled."""

    name: ClassVar[str] = "etcd_isolate"
    summary: ClassVar[str] = "One etcd member is cut off; its own API server can no longer write."
    acts_by: ClassVar[str] = "an nft table on the node that drops etcd's peer and client ports"
    proved_by: ClassVar[str] = (
        "the member says itself that it has no leader, another member says that it leads; the drop "
        "rules' packet counters"
    )
    stops_members: ClassVar[bool] = True
    stops_api: ClassVar[bool] = True
    touches: ClassVar[Touch] = Touch(Part.ETCD, Way.SILENT)

    def prepare(
        self, drivers: Drivers, *, nodes: Sequence[str], arguments: Mapping[str, object]
    ) -> Mapping[str, str]:
        check_members(drivers.cluster, nodes)
        before = look(drivers, nodes=nodes, to=others(drivers, nodes))
        for node in nodes:
            found = drivers.etcd.endpoints(node)
            before[f"ports:{node}"] = f"{found.client_port} {found.peer_port}"
        return before

    def rulesets(self, drivers: Drivers, *, plan: Plan) -> Mapping[str, Ruleset]:
        rulesets = {}
        for node in plan.nodes:
            ports = [int(port) for port in plan.before[f"ports:{node}"].split()]
            rulesets[node] = ruleset(plan, node, service(ports))
        return rulesets

    def seen(self, drivers: Drivers, *, plan: Plan) -> Proof:
        told = []
        for node in plan.nodes:
            status = drivers.etcd.member(node)
            if status is None or status.has_leader:
                what = "does not answer" if status is None else "still has a leader"
                return Proof(False, f"the member on {node} {what}")
            told.append(f"the member on {node} has no leader")
        members = check_members(drivers.cluster, plan.nodes)
        left = [name for name in members if name not in plan.nodes]
        if len(left) >= len(members) // 2 + 1:
            leader = drivers.etcd.leader(left)
            if leader is None:
                return Proof(False, f"none of {', '.join(left)} leads yet")
            told.append(f"the member on {leader} leads")
        return Proof(True, ", ".join(told))
