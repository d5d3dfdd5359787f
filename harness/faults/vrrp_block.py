"""vrrp_block: a node's VRRP is lost and nothing else, so that it and the rest think it is alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.nftables import VRRP, Ruleset, both_ways
from quorate.harness.errors import RefusedError
from quorate.harness.faults.contract import Plan, Proof
from quorate.harness.faults.cuts.cut import Cut, look, others, ruleset
from quorate.harness.model.cluster import Role
from quorate.harness.model.touch import Part, Touch, Way


class VrrpBlock(Cut):
    """IP protocol 112 on the target's links, unicast or multicast."""

    name: ClassVar[str] = "vrrp_block"
    summary: ClassVar[str] = (
        "VRRP is lost on the way: a second node takes the VIP, the first keeps it."
    )
    acts_by: ClassVar[str] = f"an nft table on the node that drops IP protocol {VRRP}"
    proved_by: ClassVar[str] = (
        "two nodes or more have the VIP on an interface; the drop rules' packet counters"
    )
    touches: ClassVar[Touch] = Touch(Part.KEEPALIVED, Way.SILENT)

    def prepare(
        self, drivers: Drivers, *, nodes: Sequence[str], arguments: Mapping[str, object]
    ) -> Mapping[str, str]:
        balancers = self._balancers(drivers)
        for node in nodes:
            if node not in balancers:
                there = ", ".join(balancers) or "no node of cluster.yaml"
                raise RefusedError(f"{node} is no load balancer; VRRP is spoken on {there}")
        return look(drivers, nodes=nodes, to=others(drivers, nodes))

    def rulesets(self, drivers: Drivers, *, plan: Plan) -> Mapping[str, Ruleset]:
        return {node: ruleset(plan, node, both_ways(protocol=VRRP)) for node in plan.nodes}

    def seen(self, drivers: Drivers, *, plan: Plan) -> Proof:
        holders = drivers.keepalived.holders(self._balancers(drivers))
        told = f"the VIP is held by {', '.join(holders) or 'nobody'}"
        return Proof(len(holders) > 1, told)

    @staticmethod
    def _balancers(drivers: Drivers) -> list[str]:
        return [node.name for node in drivers.cluster.with_role(Role.LOAD_BALANCER)]
