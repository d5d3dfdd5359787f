"""vrrp_same_priorities: nothing but their addresses decides who of the backups takes the VIP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.keepalived_conf import HIGHEST_PRIORITY, with_priority
from quorate.harness.faults.contract import Plan, Proof
from quorate.harness.faults.covers.covered import TEXT
from quorate.harness.faults.covers.keepalived_worse import KeepalivedWorse, holding


class VrrpSamePriorities(KeepalivedWorse):
    """All wait equally long for the holder's adverts, so all backups take the VIP at once."""

    name: ClassVar[str] = "vrrp_same_priorities"
    summary: ClassVar[str] = "Every keepalived has the highest priority that one of them had."

    def worse(
        self, drivers: Drivers, texts: Mapping[str, str], *, arguments: Mapping[str, object]
    ) -> Mapping[str, str]:
        instances = {node: holding(drivers, node, text) for node, text in texts.items()}
        highest = max(one.priority for one in instances.values())
        return {
            node: with_priority(
                text, instance=instances[node].name, priority=min(highest, HIGHEST_PRIORITY)
            )
            for node, text in texts.items()
        }

    def in_effect(self, drivers: Drivers, *, plan: Plan, node: str) -> Proof:
        wanted = holding(drivers, node, plan.before[f"{TEXT}{node}"])
        now = drivers.keepalived.values(node, f"VRRP Instance = {wanted.name}").get("Priority")
        return Proof(
            now == str(wanted.priority),
            f"keepalived on {node} says that its priority is {now}",
        )
