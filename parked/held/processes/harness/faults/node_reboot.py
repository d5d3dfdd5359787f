"""node_reboot: a machine is restarted in order; everything on it says goodbye."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.machine import BOOT_ID_ARGV, BOOT_ID_PATTERN
from quorate.harness.drivers.power import SWITCH_TIMEOUT_S
from quorate.harness.errors import RefusedError
from quorate.harness.faults.contract import Act, Fault, Plan, Proof
from quorate.harness.model.cluster import HARNESS
from quorate.harness.model.undo import Undo

BOOT_TIMEOUT_S = 300.0
"""How long a machine may take until it answers ssh: a server's firmware alone takes minutes."""

GO_DOWN_S = 15
"""An orderly shutdown takes about 5 s in the lab, whose machines stay off after it: a power switch
that is asked to switch on before that finds the machine on, and does nothing."""

_SWITCH_ON = 'sleep "$1"; shift; exec "$@"'


class NodeReboot(Fault):
    """systemctl reboot; where the machine stays off after that, the power switch is asked."""

    name: ClassVar[str] = "node_reboot"
    summary: ClassVar[str] = "The machine restarts in order: VRRP priority 0, FINs, units stopped."
    acts_by: ClassVar[str] = "systemctl reboot on the node"
    proved_by: ClassVar[str] = "the node does not answer ssh, or with another boot id"
    undone_by: ClassVar[str] = (
        "the power command, action on, where cluster.yaml has one; confirmed by an answer over ssh"
    )
    without_harness: ClassVar[str] = "nothing is needed: a machine that restarts comes back"
    stops_members: ClassVar[bool] = True
    stops_api: ClassVar[bool] = True
    proof_timeout_s: ClassVar[float] = 90.0

    def prepare(
        self, drivers: Drivers, *, nodes: Sequence[str], arguments: Mapping[str, object]
    ) -> Mapping[str, str]:
        before: dict[str, str] = {}
        for node in nodes:
            boot_id = drivers.machine.boot_id(node)
            if boot_id is None:
                raise RefusedError(f"{node} does not answer over ssh, so its boot id is not known")
            before[f"boot_id:{node}"] = boot_id
        return before

    def undos(self, drivers: Drivers, *, plan: Plan) -> Sequence[Undo]:
        return [
            Undo(
                id=f"{plan.injection}:{node}",
                injection=plan.injection,
                node=HARNESS,
                argv=_on_argv(drivers, node),
                # Not "another boot id than before": where the act never happened, this undo must
                # still come to an end.
                confirm_argv=BOOT_ID_ARGV,
                confirm_expect=BOOT_ID_PATTERN,
                confirm_node=node,
                timeout_s=SWITCH_TIMEOUT_S + GO_DOWN_S,
                confirm_timeout_s=BOOT_TIMEOUT_S,
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
            before, now = plan.before[f"boot_id:{node}"], drivers.machine.boot_id(node)
            if now is None or now == before:
                return Proof(False, f"{node} answers over ssh, with the boot id {before}")
            seen.append(f"{node} is back with the boot id {now}")
        return Proof(True, ", ".join(seen))

    def undone(self, drivers: Drivers, *, plan: Plan) -> Proof:
        changes = []
        for node in plan.nodes:
            before, now = plan.before[f"boot_id:{node}"], drivers.machine.boot_id(node)
            if now is None or now == before:
                return Proof(False, f"{node} has the boot id {now}: {before} before")
            changes.append(f"boot id of {node}: {before} before, {now} now")
        return Proof(True, ", ".join(changes))


def _on_argv(drivers: Drivers, node: str) -> tuple[str, ...]:
    if not drivers.power.is_there:
        return ("true",)
    on = drivers.power.on_argv(node)
    return ("sh", "-c", _SWITCH_ON, "quorate", str(GO_DOWN_S), *on)
