"""Whether a machine was off: its kernel draws another boot id each time."""

from __future__ import annotations

import re
from collections.abc import Sequence

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.machine import BOOT_ID_PATTERN
from quorate.harness.errors import RefusedError
from quorate.harness.faults.contract import Plan, Proof


def boot_ids(drivers: Drivers, *, nodes: Sequence[str]) -> dict[str, str]:
    """What must be remembered of each node; RefusedError where one cannot be asked."""
    before = {}
    for node in nodes:
        boot_id = drivers.machine.boot_id(node)
        if boot_id is None:
            raise RefusedError(f"{node} does not answer over ssh, so its boot id is not known")
        before[f"boot_id:{node}"] = boot_id
    return before


def boot_id_before(plan: Plan, node: str) -> str:
    """What `boot_ids` remembered of this node."""
    return plan.before[f"boot_id:{node}"]


def booted_anew(drivers: Drivers, *, plan: Plan) -> Proof:
    """Whether every node is in another boot than before."""
    changes = []
    for node in plan.nodes:
        before, now = boot_id_before(plan, node), drivers.machine.boot_id(node)
        if now is None or not re.match(BOOT_ID_PATTERN, now):
            return Proof(False, f"{node} does not tell its boot id")
        if now == before:
            return Proof(False, f"{node} still has the boot id {before}: it never was off")
        changes.append(f"boot id of {node}: {before} before, {now} now")
    return Proof(True, ", ".join(changes))
