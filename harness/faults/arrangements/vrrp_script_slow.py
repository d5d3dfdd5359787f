"""vrrp_script_slow: keepalived looks so seldom at HAProxy that the VIP stays where none works."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.keepalived_conf import with_slow_scripts
from quorate.harness.errors import RefusedError
from quorate.harness.faults.contract import Parameter, Plan, Proof
from quorate.harness.faults.covers.covered import TEXT
from quorate.harness.faults.covers.keepalived_worse import KeepalivedWorse, holding
from quorate.harness.predict.keepalived_conf import parse_keepalived

INTERVAL_S = 15
"""With the usual two failures in a row: half a minute."""


class VrrpScriptSlow(KeepalivedWorse):
    """The scripts that the VIP's vrrp_instance goes by."""

    name: ClassVar[str] = "vrrp_script_slow"
    summary: ClassVar[str] = (
        f"keepalived's check of HAProxy runs every `interval_s` seconds only ({INTERVAL_S}), and "
        "must fail `fall` times on end (as it is)."
    )
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("interval_s", int, INTERVAL_S, "whole seconds above 0 from run to run"),
        Parameter("fall", int, None, "failed runs on end, above 0; as it is where none is given"),
    )

    def worse(
        self, drivers: Drivers, texts: Mapping[str, str], *, arguments: Mapping[str, object]
    ) -> Mapping[str, str]:
        interval_s, fall = arguments["interval_s"], arguments["fall"]
        assert isinstance(interval_s, int)
        assert fall is None or isinstance(fall, int)
        made = {}
        for node, text in texts.items():
            scripts = holding(drivers, node, text).track_scripts
            if not scripts:
                raise RefusedError(f"keepalived on {node} tracks no script with the VIP")
            made[node] = with_slow_scripts(text, scripts=scripts, interval_s=interval_s, fall=fall)
        return made

    def in_effect(self, drivers: Drivers, *, plan: Plan, node: str) -> Proof:
        said, text = [], plan.before[f"{TEXT}{node}"]
        for name in holding(drivers, node, text).track_scripts:
            script = parse_keepalived(text).scripts[name]
            now = drivers.keepalived.values(node, f"VRRP Script = {name}")
            every, fall = now.get("Interval"), now.get("Fall")
            said.append(f"keepalived on {node} says that {name} runs every {every}, fall {fall}")
            if (every, fall) != (f"{script.interval_s:g} sec", str(script.fall)):
                return Proof(False, said[-1])
        return Proof(True, ", ".join(said))
