"""keepalived_backups_stopped: no one is left to take the VIP over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.keepalived import UNIT
from quorate.harness.drivers.systemd import is_active_argv, start_argv, stop_argv
from quorate.harness.errors import RefusedError
from quorate.harness.faults.contract import Act, Arrangement, Plan, Proof
from quorate.harness.model.undo import Undo


class KeepalivedBackupsStopped(Arrangement):
    """keepalived runs only where the VIP is."""

    name: ClassVar[str] = "keepalived_backups_stopped"
    summary: ClassVar[str] = "keepalived is stopped on every control plane but the VIP's holder."

    def undos(self, drivers: Drivers, *, plan: Plan) -> Sequence[Undo]:
        return [
            Undo(
                id=f"{self.name}:{node}",
                injection=self.name,
                node=node,
                argv=start_argv(UNIT),
                confirm_argv=is_active_argv(UNIT),
                confirm_expect=r"^active$",
                text=f"start keepalived on {node}",
            )
            for node in _backups(drivers, plan.vip_holder)
        ]

    def acts(self, drivers: Drivers, *, plan: Plan) -> Sequence[Act]:
        return [Act(node, stop_argv(UNIT)) for node in _backups(drivers, plan.vip_holder)]

    def proof(self, drivers: Drivers, *, plan: Plan) -> Proof:
        backups = _backups(drivers, plan.vip_holder)
        running = [n for n in backups if drivers.systemd.state(n, UNIT) == "active"]
        if running:
            return Proof(False, f"keepalived still runs on {', '.join(running)}")
        return Proof(True, f"keepalived does not run on {', '.join(backups)}")


def _backups(drivers: Drivers, holder: str | None) -> list[str]:
    if holder is None:
        raise RefusedError("no node holds the VIP, so there are no backups to stop")
    backups = [node.name for node in drivers.cluster.control_planes if node.name != holder]
    if not backups:
        raise RefusedError(f"{holder} is the only control plane: there are no backups to stop")
    return backups
