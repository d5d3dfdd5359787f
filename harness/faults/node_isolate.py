"""node_isolate: a machine keeps running, and nobody hears it any more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.nftables import Ruleset, both_ways, remove_argv
from quorate.harness.drivers.systemd import timer_argv
from quorate.harness.faults.contract import Act, Plan, Proof
from quorate.harness.faults.cuts.cut import Cut, look, others, ruleset
from quorate.harness.model.touch import Part, Touch, Way
from quorate.harness.model.undo import Undo

LEAD_S = 0.5
"""From the command to the cut: it would otherwise cut off the ssh connection that it came by."""
BACK_S = 60.0
"""How long after the dead man's switch an undo waits for ssh to find the way again."""


class NodeIsolate(Cut):
    """All packets on all links that lead out, ARP included; loopback and pods' bridges stay."""

    name: ClassVar[str] = "node_isolate"
    summary: ClassVar[str] = "The machine runs on, cut off from everybody, ssh included."
    acts_by: ClassVar[str] = (
        f"an nft table on the node that drops everything on its links, {LEAD_S:g} s after the "
        "command, in a set whose elements the kernel lets expire at the deadline"
    )
    proved_by: ClassVar[str] = (
        "ssh has no way to the node and another node gets no answer from it, another one holds "
        "the VIP; afterwards the drop rules' packet counters, and the same boot id as before"
    )
    undone_by: ClassVar[str] = (
        "nothing reaches the node: its own dead man's switch deletes the table at the deadline; "
        "confirmed by the list of tables as soon as ssh finds the way"
    )
    without_harness: ClassVar[str] = "the dead man's switch and the kernel's expiry; a reboot"
    stops_members: ClassVar[bool] = True
    stops_api: ClassVar[bool] = True
    touches: ClassVar[Touch] = Touch(Part.MACHINE, Way.SILENT)
    switch_margin_s: ClassVar[float] = 5.0
    ended_by_switch: ClassVar[bool] = True
    proof_timeout_s: ClassVar[float] = 20.0

    def prepare(
        self, drivers: Drivers, *, nodes: Sequence[str], arguments: Mapping[str, object]
    ) -> Mapping[str, str]:
        return look(drivers, nodes=nodes, to=others(drivers, nodes))

    def rulesets(self, drivers: Drivers, *, plan: Plan) -> Mapping[str, Ruleset]:
        return {
            node: ruleset(plan, node, both_ways(), arp="all", expires_s=plan.deadline_s)
            for node in plan.nodes
        }

    def undos(self, drivers: Drivers, *, plan: Plan) -> Sequence[Undo]:
        act = f"{plan.unit}-act"
        argv = remove_argv(plan.word, units=(f"{act}.timer", f"{act}.service"))
        timeout_s = plan.deadline_s + BACK_S
        return [
            one.model_copy(update={"argv": argv, "confirm_timeout_s": timeout_s})
            for one in super().undos(drivers, plan=plan)
        ]

    def acts(self, drivers: Drivers, *, plan: Plan) -> Sequence[Act]:
        return [
            Act(one.node, timer_argv(f"{plan.unit}-act", one.argv, after_s=LEAD_S))
            for one in super().acts(drivers, plan=plan)
        ]

    def proof(self, drivers: Drivers, *, plan: Plan) -> Proof:
        # Its counters cannot be asked now; `undone` tells them.
        return self.seen(drivers, plan=plan)

    def seen(self, drivers: Drivers, *, plan: Plan) -> Proof:
        told = []
        for node in plan.nodes:
            if not drivers.machine.is_unreachable(node):
                return Proof(False, f"{node} still answers over ssh")
            told.append(f"ssh has no way to {node}")
            elsewhere = self._elsewhere(drivers, plan=plan, node=node)
            if elsewhere is not None:
                if not elsewhere.ok:
                    return elsewhere
                told.append(elsewhere.evidence)
        return Proof(True, ", ".join(told))

    def _elsewhere(self, drivers: Drivers, *, plan: Plan, node: str) -> Proof | None:
        """Another node gets no answer either, and the VIP is not where it was."""
        left = [one.name for one in drivers.cluster.may_hold_vip if one.name not in plan.nodes]
        if not left:
            return None
        port = drivers.cluster.ssh.port or 22
        address = drivers.cluster.node(node).address
        seen = drivers.reach.seen_from(left[0], address=address, port=port)
        if seen not in ("silent", "no route"):
            return Proof(False, f"seen from {left[0]}, {node}:{port} is {seen or 'not known'}")
        told = f"seen from {left[0]}, {node}:{port} is {seen}"
        if plan.vip_holder != node:
            return Proof(True, told)
        holders = drivers.keepalived.holders(left)
        if not holders:
            return Proof(False, f"{told}, but nobody has taken the VIP over")
        return Proof(True, f"{told}, {', '.join(holders)} holds the VIP now")
