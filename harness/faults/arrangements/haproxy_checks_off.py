"""haproxy_checks_off: no load balancer looks whether an API server works."""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar

from quorate.harness.drivers.haproxy_cfg import without_checks
from quorate.harness.faults.covers.haproxy_checks import HaproxyChecks


class HaproxyChecksOff(HaproxyChecks):
    """A server that is gone gets its share of the connections all the same."""

    name: ClassVar[str] = "haproxy_checks_off"
    summary: ClassVar[str] = "Every HAProxy takes every API server for good, unchecked."
    word: ClassVar[str] = "no check"

    def text(self, text: str, *, addresses: Collection[str]) -> str:
        return without_checks(text, addresses=addresses)
