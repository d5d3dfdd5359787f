"""vrrp_script_slow: keepalived looks so seldom at HAProxy that the VIP stays where none works."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.keepalived_conf import with_slow_scripts
from quorate.harness.errors import RefusedError
from quorate.harness.faults.contract import Plan, Proof
from quorate.harness.faults.covers.covered import TEXT
from quorate.harness.faults.covers.keepalived_worse import KeepalivedWorse, holding

INTERVAL_S = 15
"""With the usual two failures in a row: half a minute."""


class VrrpScriptSlow(KeepalivedWorse):
    """The scripts that the VIP's vrrp_instance goes by."""

    name: ClassVar[str] = "vrrp_script_slow"
    summary: ClassVar[str] = f"keepalived's check of HAProxy runs every {INTERVAL_S} s only."

    def worse(self, drivers: Drivers, texts: Mapping[str, str]) -> Mapping[str, str]:
        made = {}
        for node, text in texts.items():
            scripts = holding(drivers, node, text).track_scripts
            if not scripts:
                raise RefusedError(f"keepalived on {node} tracks no script with the VIP")
            made[node] = with_slow_scripts(text, scripts=scripts, interval_s=INTERVAL_S)
        return made

    def in_effect(self, drivers: Drivers, *, plan: Plan, node: str) -> Proof:
        said = []
        for script in holding(drivers, node, plan.before[f"{TEXT}{node}"]).track_scripts:
            now = drivers.keepalived.values(node, f"VRRP Script = {script}").get("Interval")
            said.append(f"keepalived on {node} says that {script} runs every {now}")
            if now != f"{INTERVAL_S} sec":
                return Proof(False, said[-1])
        return Proof(True, ", ".join(said))
