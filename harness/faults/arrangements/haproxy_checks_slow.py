"""haproxy_checks_slow: an API server that is gone is counted in for longer."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.haproxy import CONFIGURATION, UNIT
from quorate.harness.drivers.haproxy_cfg import with_fall
from quorate.harness.errors import RefusedError
from quorate.harness.faults.contract import Plan, Proof
from quorate.harness.faults.covers.covered import Covered

FALL = 5
"""Failed checks on end until a server is down (HAProxy's default: 3)."""


class HaproxyChecksSlow(Covered):
    """Servers at the addresses of the cluster's API servers; others stay as they are."""

    name: ClassVar[str] = "haproxy_checks_slow"
    summary: ClassVar[str] = f"Every HAProxy takes an API server out after {FALL} failed checks."
    unit: ClassVar[str] = UNIT
    path: ClassVar[str] = CONFIGURATION

    def worse(
        self, drivers: Drivers, texts: Mapping[str, str], *, arguments: Mapping[str, object]
    ) -> Mapping[str, str]:
        addresses = [node.address for node in drivers.cluster.control_planes]
        return {node: with_fall(text, FALL, addresses=addresses) for node, text in texts.items()}

    def question(self, drivers: Drivers) -> Sequence[str]:
        return drivers.haproxy.falls_argv()

    def normal(self, drivers: Drivers, node: str) -> str:
        falls = _falls(drivers, node)
        if not falls:
            raise RefusedError(f"the HAProxy of {node} checks no server at an API server's address")
        lines = "".join(
            rf"(?=[\s\S]*^{re.escape(path)} falls after {fall}$)" for path, fall in falls.items()
        )
        return rf"\A{lines}"

    def in_effect(self, drivers: Drivers, *, plan: Plan, node: str) -> Proof:
        falls = _falls(drivers, node)
        said = ", ".join(f"{path} after {fall} failed checks" for path, fall in falls.items())
        slow = bool(falls) and set(falls.values()) == {FALL}
        return Proof(slow, f"HAProxy on {node} takes out {said or 'nothing'}")


def _falls(drivers: Drivers, node: str) -> dict[str, int]:
    addresses = [one.address for one in drivers.cluster.control_planes]
    ours = {one.path for one in drivers.haproxy.servers_state(node) if one.address in addresses}
    return {path: fall for path, fall in drivers.haproxy.falls(node).items() if path in ours}
