"""haproxy_checks_tcp_only: an API server passes for good as long as its port takes connections."""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar

from quorate.harness.drivers.haproxy_cfg import with_tcp_checks
from quorate.harness.faults.covers.haproxy_checks import HaproxyChecks


class HaproxyChecksTcpOnly(HaproxyChecks):
    """The kernel takes connections for a process that hangs, or is not ready."""

    name: ClassVar[str] = "haproxy_checks_tcp_only"
    summary: ClassVar[str] = "Every HAProxy checks API servers by a TCP connection alone."
    word: ClassVar[str] = "L4OK"

    def text(self, text: str, *, addresses: Collection[str]) -> str:
        return with_tcp_checks(text, addresses=addresses)
