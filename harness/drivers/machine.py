"""A machine: whether it answers, and which boot this is."""

from __future__ import annotations

import re

from quorate.harness.errors import CommandTimeout, NodeUnreachable, TransportError
from quorate.harness.transport import Transport

BOOT_ID_ARGV = ("cat", "/proc/sys/kernel/random/boot_id")
BOOT_ID_PATTERN = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"

SYSTEM_STATE_ARGV = ("sh", "-c", "systemctl is-system-running || true")
"""Prints what systemd makes of the machine as a whole: running, degraded, stopping, …"""

STAYS_UP = "^(initializing|starting|running|degraded|maintenance)$"
"""The same of a machine that is not going down."""

STAYS_S = 8.0
"""How long a machine must live on to be called on: a BMC answers before the power goes, by seconds.
Below what one confirmation of an undo may take (`CONFIRM_TRY_S`)."""

_STAYS = """\
file=/proc/sys/kernel/random/boot_id
if [ "$(cat $file)" = "$1" ]; then sleep "$2"; fi
cat $file
"""


def stays_argv(boot_id: str) -> tuple[str, ...]:
    """Prints the boot id; of a machine that is still in that boot only after `STAYS_S`."""
    return ("sh", "-c", _STAYS, "quorate", boot_id, f"{STAYS_S:g}")


class MachineDriver:
    """Facts of the operating system."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def boot_id(self, node: str) -> str | None:
        """The kernel's random id of this boot; None when the node does not answer over ssh."""
        try:
            asked = self._transport.check(node, BOOT_ID_ARGV, timeout_s=8.0)
        except TransportError:
            return None
        text = asked.stdout.strip()
        return text if re.match(BOOT_ID_PATTERN, text) else None

    def is_unreachable(self, node: str) -> bool:
        """Whether ssh is refused or finds no way; a node that hangs after that is reachable."""
        try:
            self._transport.run(node, ["true"], timeout_s=8.0)
        except NodeUnreachable:
            return True
        except CommandTimeout:
            pass
        return False
