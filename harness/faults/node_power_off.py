"""node_power_off: a machine loses its power. Nothing on it says goodbye."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.machine import BOOT_ID_PATTERN, stays_argv
from quorate.harness.drivers.power import SWITCH_TIMEOUT_S
from quorate.harness.faults.contract import Act, Fault, Plan, Proof
from quorate.harness.faults.machines.boots import boot_id_before, boot_ids, booted_anew
from quorate.harness.model.cluster import HARNESS
from quorate.harness.model.touch import Part, Touch, Way
from quorate.harness.model.undo import Undo

BOOT_TIMEOUT_S = 300.0
"""How long a machine may take until it answers ssh: a server's firmware alone takes minutes."""


class NodePowerOff(Fault):
    """Acts on one machine or more by the switch in cluster.yaml."""

    name: ClassVar[str] = "node_power_off"
    summary: ClassVar[str] = "The machine loses its power: no FIN, no VRRP priority 0, no goodbye."
    acts_by: ClassVar[str] = "the power command of cluster.yaml, action off"
    proved_by: ClassVar[str] = (
        "ssh has no way to the node, its API port is dead, and another node sees the VIP "
        "moved or gone; afterwards the boot id is another one"
    )
    undone_by: ClassVar[str] = "the power command, action on; confirmed when the node answers ssh"
    without_harness: ClassVar[str] = "the guardian; without it, `quorate undo` from any machine"
    stops_members: ClassVar[bool] = True
    stops_api: ClassVar[bool] = True
    touches: ClassVar[Touch] = Touch(Part.MACHINE, Way.SILENT)

    def prepare(
        self, drivers: Drivers, *, nodes: Sequence[str], arguments: Mapping[str, object]
    ) -> Mapping[str, str]:
        if not drivers.power.is_there:
            drivers.power.off_argv(nodes[0])  # raises the refusal that names the remedy
        before = boot_ids(drivers, nodes=nodes)
        for node in nodes:
            if drivers.keepalived.holds(node):
                before["vip_holder"] = node
        return before

    def undos(self, drivers: Drivers, *, plan: Plan) -> Sequence[Undo]:
        return [
            Undo(
                id=f"{plan.injection}:{node}",
                injection=plan.injection,
                node=HARNESS,
                argv=drivers.power.on_argv(node),
                # Not "another boot id than before": if we die between the journal entry and the
                # act, the machine has never been off, and this undo must still come to an end.
                # But one in the old boot may only just be going off, so it must live on.
                confirm_argv=stays_argv(boot_id_before(plan, node)),
                confirm_expect=BOOT_ID_PATTERN,
                confirm_node=node,
                timeout_s=SWITCH_TIMEOUT_S,
                confirm_timeout_s=BOOT_TIMEOUT_S,
                text=f"power {node} on and wait until it answers over ssh",
            )
            for node in plan.nodes
        ]

    def acts(self, drivers: Drivers, *, plan: Plan) -> Sequence[Act]:
        return [
            Act(HARNESS, drivers.power.off_argv(node), timeout_s=SWITCH_TIMEOUT_S)
            for node in plan.nodes
        ]

    def proof(self, drivers: Drivers, *, plan: Plan) -> Proof:
        seen = []
        for node in plan.nodes:
            if not drivers.machine.is_unreachable(node):
                return Proof(False, f"{node} still answers over ssh")
            seen.append(f"ssh has no way to {node}")
            if _has_api_server(drivers, node):
                if not drivers.kube.port_is_dead(node):
                    return Proof(False, f"the API port of {node} still accepts connections")
                seen.append("its API port is dead")
        holder = plan.before.get("vip_holder")
        if holder in plan.nodes:
            vip = _vip_left(drivers, plan.nodes)
            if not vip.ok:
                return vip
            seen.append(vip.evidence)
        return Proof(True, ", ".join(seen))

    def undone(self, drivers: Drivers, *, plan: Plan) -> Proof:
        return booted_anew(drivers, plan=plan)


def _has_api_server(drivers: Drivers, node: str) -> bool:
    return any(known.name == node for known in drivers.cluster.control_planes)


def _vip_left(drivers: Drivers, off: Sequence[str]) -> Proof:
    """From the nodes that are left and may hold it: the VIP has moved to one, or is nowhere."""
    others = [node.name for node in drivers.cluster.may_hold_vip if node.name not in off]
    if not others:
        return Proof(True, "no node is left to look for the VIP")
    holders = drivers.keepalived.holders(others)
    if holders:
        return Proof(True, f"{holders[0]} holds the VIP now")
    answers = drivers.keepalived.answers_from(others[0])
    if answers is False:
        return Proof(True, f"seen from {others[0]}, nothing answers at the VIP")
    return Proof(False, f"seen from {others[0]}, the VIP still answers and no other node holds it")
