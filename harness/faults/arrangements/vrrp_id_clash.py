"""vrrp_id_clash: one more vrrp_instance has the VIP's virtual_router_id, for another address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.keepalived_conf import with_instance_beside
from quorate.harness.errors import RefusedError
from quorate.harness.faults.contract import Plan, Proof
from quorate.harness.faults.covers.covered import TEXT
from quorate.harness.faults.covers.keepalived_worse import KeepalivedWorse, holding, one_backup

NAME = "quorate_id_clash"
ADDRESS = "192.0.2.77"
"""Of TEST-NET-1 (RFC 5737): nobody's, and nobody has a route to it."""


class VrrpIdClash(KeepalivedWorse):
    """On a backup, by multicast, where the VIP's own instances talk by unicast.

    keepalived keeps the two apart (2.2: "Unicast and multicast are separate VRID spaces" in
    check_vrid_conflicts), and no other node has joined the group: the VIP stays as it is. The
    backup holds one address more, that nobody asks for, and logs adverts that do not name it.
    Two that both multicast, on one interface, keepalived would not start with; so it is refused.
    """

    name: ClassVar[str] = "vrrp_id_clash"
    summary: ClassVar[str] = (
        f"keepalived of one backup has a second vrrp_instance, for {ADDRESS}, with the VIP's "
        "virtual_router_id; the VIP itself stays as it is."
    )

    def worse(
        self, drivers: Drivers, texts: Mapping[str, str], *, arguments: Mapping[str, object]
    ) -> Mapping[str, str]:
        odd = one_backup(drivers, texts)
        own = holding(drivers, odd, texts[odd])
        if not own.unicast_peers or not own.interface:
            raise RefusedError(
                f"keepalived of {odd} has no unicast_peer, or no interface, in {own.name}: a "
                "second instance with its virtual_router_id would meet the VIP's own adverts"
            )
        worse = with_instance_beside(texts[odd], own, name=NAME, address=ADDRESS)
        return {**texts, odd: worse}

    def in_effect(self, drivers: Drivers, *, plan: Plan, node: str) -> Proof:
        wanted = holding(drivers, node, plan.before[f"{TEXT}{node}"]).virtual_router_id
        now = drivers.keepalived.values(node, f"VRRP Instance = {NAME}").get("Virtual Router ID")
        told = f"keepalived on {node} says that the VRID of {NAME} is {now}"
        return Proof(now == str(wanted), told)
