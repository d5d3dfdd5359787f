"""keepalived goes by other numbers than it should."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import ClassVar

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.keepalived import CONFIGURATION, DUMP_ARGV, UNIT
from quorate.harness.errors import RefusedError
from quorate.harness.faults.covers.covered import Covered
from quorate.harness.predict.facts import VrrpInstance
from quorate.harness.predict.keepalived_conf import parse_keepalived


class KeepalivedWorse(Covered):
    """What it goes by, it writes down when asked by a signal; normal is what it said before."""

    unit: ClassVar[str] = UNIT
    path: ClassVar[str] = CONFIGURATION

    def question(self, drivers: Drivers) -> Sequence[str]:
        return DUMP_ARGV

    def normal(self, drivers: Drivers, node: str) -> str:
        return rf"\A{re.escape(drivers.keepalived.dump(node))}\Z"


def one_backup(drivers: Drivers, nodes: Iterable[str]) -> str:
    """The last of these load balancers that does not hold the VIP; RefusedError where all do, or
    cannot be asked."""
    found = [node for node in nodes if drivers.keepalived.holds(node) is False]
    if not found:
        raise RefusedError("there is no load balancer that could be seen not to hold the VIP")
    return found[-1]


def holding(drivers: Drivers, node: str, text: str) -> VrrpInstance:
    """The vrrp_instance of the VIP in a keepalived.conf; RefusedError where there is none."""
    vip = drivers.cluster.virtual_ip.address
    found = parse_keepalived(text).holding(vip)
    if found is None:
        raise RefusedError(f"keepalived.conf of {node} has no vrrp_instance with {vip}")
    return found
