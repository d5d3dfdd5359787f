"""vrrp_adverts_slow: the VIP's holder announces itself so seldom that its loss is noticed late."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.keepalived_conf import with_slow_adverts
from quorate.harness.faults.contract import Parameter, Plan, Proof
from quorate.harness.faults.covers.covered import TEXT
from quorate.harness.faults.covers.keepalived_worse import KeepalivedWorse, holding

ADVERT_S = 3
"""A backup takes over after three of them and its skew (RFC 9568, 6.1)."""


class VrrpAdvertsSlow(KeepalivedWorse):
    """Every keepalived, so that they go on agreeing."""

    name: ClassVar[str] = "vrrp_adverts_slow"
    summary: ClassVar[str] = (
        f"keepalived announces the VIP's holder every `advert_s` seconds only ({ADVERT_S})."
    )
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("advert_s", int, ADVERT_S, "whole seconds above 0 from advert to advert"),
    )

    def worse(
        self, drivers: Drivers, texts: Mapping[str, str], *, arguments: Mapping[str, object]
    ) -> Mapping[str, str]:
        advert_s = arguments["advert_s"]
        assert isinstance(advert_s, int)
        return {
            node: with_slow_adverts(
                text, instance=holding(drivers, node, text).name, advert_s=advert_s
            )
            for node, text in texts.items()
        }

    def in_effect(self, drivers: Drivers, *, plan: Plan, node: str) -> Proof:
        name = holding(drivers, node, plan.before[f"{TEXT}{node}"]).name
        now = drivers.keepalived.values(node, f"VRRP Instance = {name}").get("Advert interval")
        said = f"keepalived on {node} says that {name} announces itself every {now}"
        return Proof(now == f"{plan.arguments['advert_s']} sec", said)
