"""vrrp_adverts_mismatch: one backup expects adverts at another pace than the others send them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.errors import RefusedError
from quorate.harness.faults.arrangements.vrrp_adverts_slow import VrrpAdvertsSlow
from quorate.harness.faults.contract import Parameter
from quorate.harness.faults.covers.keepalived_worse import holding, one_backup

ADVERT_S = 200
"""So long that it is only a state: the odd one takes the VIP after three of them."""


class VrrpAdvertsMismatch(VrrpAdvertsSlow):
    """In VRRP 2 it drops the others' adverts (keepalived vrrp.c, vrrp_check_packet), and after
    three of its own intervals, and its skew, it holds the VIP beside their holder."""

    name: ClassVar[str] = "vrrp_adverts_mismatch"
    summary: ClassVar[str] = (
        f"keepalived of one backup has another advert_int (`advert_s`, {ADVERT_S}) than the "
        "others: in VRRP 2 it takes the VIP as well after three of them."
    )
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("advert_s", int, ADVERT_S, "whole seconds above 0, and other than the others'"),
    )

    def worse(
        self, drivers: Drivers, texts: Mapping[str, str], *, arguments: Mapping[str, object]
    ) -> Mapping[str, str]:
        odd = one_backup(drivers, texts)
        if holding(drivers, odd, texts[odd]).advert_int_s == arguments["advert_s"]:
            raise RefusedError(f"keepalived on {odd} has that advert_int: choose another advert_s")
        one = super().worse(drivers, {odd: texts[odd]}, arguments=arguments)
        return {**texts, **one}
