"""vip_isolate: the holder's link is cut for the VIP's traffic, as if its uplink had been pulled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.nftables import VRRP, Ruleset, both_ways
from quorate.harness.errors import RefusedError
from quorate.harness.faults.contract import Plan, Proof
from quorate.harness.faults.cuts.cut import Cut, look, others, ruleset
from quorate.harness.model.cluster import HARNESS, Role
from quorate.harness.model.touch import Part, Touch, Way


class VipIsolate(Cut):
    """The VIP's packets, its ARP and VRRP; the machine's own address, and so ssh, still works."""

    name: ClassVar[str] = "vip_isolate"
    summary: ClassVar[str] = "The holder's link is cut for the VIP: silent, and unaware of it."
    acts_by: ClassVar[str] = (
        "an nft table on the node that drops the VIP's packets, ARP for it, and VRRP"
    )
    proved_by: ClassVar[str] = (
        "another node has the VIP on an interface, or nothing answers at it from the client; the "
        "drop rules' packet counters"
    )
    touches: ClassVar[Touch] = Touch(Part.VIP, Way.SILENT)

    def prepare(
        self, drivers: Drivers, *, nodes: Sequence[str], arguments: Mapping[str, object]
    ) -> Mapping[str, str]:
        for node in nodes:
            if not drivers.keepalived.holds(node):
                raise RefusedError(f"{node} does not hold the VIP: say target: vip-holder")
        return look(drivers, nodes=nodes, to=others(drivers, nodes))

    def rulesets(self, drivers: Drivers, *, plan: Plan) -> Mapping[str, Ruleset]:
        vip = drivers.cluster.virtual_ip.address
        drops = (*both_ways(own=vip), *both_ways(protocol=VRRP))
        arp = vip if ":" not in vip else None
        return {node: ruleset(plan, node, drops, arp=arp) for node in plan.nodes}

    def seen(self, drivers: Drivers, *, plan: Plan) -> Proof:
        balancers = drivers.cluster.with_role(Role.LOAD_BALANCER)
        left = [node.name for node in balancers if node.name not in plan.nodes]
        holders = drivers.keepalived.holders(left)
        if holders:
            return Proof(True, f"{', '.join(holders)} holds the VIP too")
        vip = drivers.cluster.virtual_ip
        seen = drivers.reach.seen_from(HARNESS, address=vip.address, port=vip.port)
        told = f"seen from the client, the VIP is {seen or 'not known'}, and nobody else holds it"
        return Proof(seen in ("silent", "no route"), told)
