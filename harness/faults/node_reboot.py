"""node_reboot: a machine is restarted in order; everything on it says goodbye."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.machine import STAYS_UP, SYSTEM_STATE_ARGV
from quorate.harness.faults.contract import Act, Fault, Plan, Proof
from quorate.harness.faults.machines.boots import boot_id_before, boot_ids, booted_anew
from quorate.harness.model.cluster import HARNESS
from quorate.harness.model.touch import Part, Touch, Way
from quorate.harness.model.undo import Undo

REBOOT_TIMEOUT_S = 300.0
"""How long a machine may take until it answers ssh: a server's firmware alone takes minutes."""


class NodeReboot(Fault):
    """systemctl reboot; the power switch is asked too, for machines that stay off after that."""

    name: ClassVar[str] = "node_reboot"
    summary: ClassVar[str] = "The machine restarts in order: VRRP priority 0, FINs, units stopped."
    acts_by: ClassVar[str] = "systemctl reboot on the node"
    proved_by: ClassVar[str] = (
        "ssh has no way to the node, or finds another boot id; afterwards, that it is another one"
    )
    undone_by: ClassVar[str] = (
        "the power command, action on, where cluster.yaml has one; confirmed when the node answers "
        "ssh and is not going down"
    )
    without_harness: ClassVar[str] = (
        "a machine that restarts comes back by itself; where it does not (the lab's), the "
        "guardian, or `quorate undo` from any machine"
    )
    stops_members: ClassVar[bool] = True
    stops_api: ClassVar[bool] = True
    proof_timeout_s: ClassVar[float] = 90.0
    touches: ClassVar[Touch] = Touch(Part.MACHINE, Way.LEFT)

    def prepare(
        self, drivers: Drivers, *, nodes: Sequence[str], arguments: Mapping[str, object]
    ) -> Mapping[str, str]:
        return boot_ids(drivers, nodes=nodes)

    def undos(self, drivers: Drivers, *, plan: Plan) -> Sequence[Undo]:
        return [
            Undo(
                id=f"{plan.injection}:{node}",
                injection=plan.injection,
                node=HARNESS,
                argv=drivers.power.on_argv(node) if drivers.power.is_there else ("true",),
                # Not "another boot id than before": where the act never happened, this undo must
                # still come to an end.
                confirm_argv=SYSTEM_STATE_ARGV,
                confirm_expect=STAYS_UP,
                confirm_node=node,
                timeout_s=REBOOT_TIMEOUT_S,
                confirm_timeout_s=REBOOT_TIMEOUT_S,
                text=f"see that {node} is switched on, and wait until it answers over ssh",
            )
            for node in plan.nodes
        ]

    def acts(self, drivers: Drivers, *, plan: Plan) -> Sequence[Act]:
        return [Act(node, ("systemctl", "reboot")) for node in plan.nodes]

    def proof(self, drivers: Drivers, *, plan: Plan) -> Proof:
        seen = []
        for node in plan.nodes:
            if drivers.machine.is_unreachable(node):
                seen.append(f"ssh has no way to {node}")
                continue
            before, now = boot_id_before(plan, node), drivers.machine.boot_id(node)
            if now is None or now == before:
                return Proof(False, f"{node} answers over ssh, with the boot id {before}")
            seen.append(f"{node} is back with the boot id {now}")
        return Proof(True, ", ".join(seen))

    def undone(self, drivers: Drivers, *, plan: Plan) -> Proof:
        return booted_anew(drivers, plan=plan)
