"""systemd units on a node."""

from __future__ import annotations

from quorate.harness.transport import Transport


def stop_argv(unit: str) -> tuple[str, ...]:
    """The command that stops a unit; ended when the unit has stopped."""
    return ("systemctl", "stop", unit)


def start_argv(unit: str) -> tuple[str, ...]:
    """The command that starts a unit; harmless when it runs."""
    return ("systemctl", "start", unit)


def is_active_argv(unit: str) -> tuple[str, ...]:
    """Prints `active`, `inactive`, `failed`, …"""
    return ("systemctl", "is-active", unit)


class SystemdDriver:
    """State of units."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def state(self, node: str, unit: str) -> str:
        """ "active", "inactive", "failed", …; TransportError when the node cannot be asked."""
        asked = self._transport.run(node, is_active_argv(unit), timeout_s=8.0)
        return asked.stdout.strip() or "unknown"
