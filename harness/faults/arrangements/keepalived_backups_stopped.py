"""keepalived_backups_stopped: no one is left to take the VIP over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.keepalived import UNIT
from quorate.harness.drivers.systemd import is_active_argv, start_argv, stop_argv
from quorate.harness.errors import RefusedError
from quorate.harness.faults.contract import Act, Arrangement, Plan, Proof
from quorate.harness.model.cluster import Role
from quorate.harness.model.undo import Undo


class KeepalivedBackupsStopped(Arrangement):
    """keepalived runs only where the VIP is."""

    name: ClassVar[str] = "keepalived_backups_stopped"
    summary: ClassVar[str] = "keepalived is stopped on every load balancer but the VIP's holder."

    def prepare(self, drivers: Drivers, *, arguments: Mapping[str, object]) -> Mapping[str, str]:
        """Active everywhere: undoing starts it, also where it had not run."""
        for node in drivers.cluster.with_role(Role.LOAD_BALANCER):
            state = drivers.systemd.state(node.name, UNIT)
            if state != "active":
                raise RefusedError(
                    f"keepalived on {node.name} is {state}, not active, so stopping it could not "
                    f"be taken back: start it (systemctl start {UNIT})"
                )
        return {}

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
    balancers = drivers.cluster.with_role(Role.LOAD_BALANCER)
    backups = [node.name for node in balancers if node.name != holder]
    if not backups:
        raise RefusedError(f"there is no load balancer but {holder}: there are no backups to stop")
    return backups
