"""systemd units on a node."""

from __future__ import annotations

from collections.abc import Sequence

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


def timer_argv(unit: str, argv: Sequence[str], *, after_s: float) -> tuple[str, ...]:
    """Run `argv` on the node `after_s` seconds from now, whoever is alive then.

    A transient timer `<unit>.timer`: gone when it has run, when it is stopped, and with a reboot.
    systemd replaces `$` in commands (systemd.service(5), "Command lines"); `$$` keeps it.
    """
    kept = (word.replace("$", "$$") for word in argv)
    return (
        "systemd-run",
        f"--unit={unit}",
        f"--on-active={after_s:.1f}s",
        "--timer-property=AccuracySec=100ms",
        "--collect",
        "--",
        *kept,
    )


def active_state_argv(unit: str) -> tuple[str, ...]:
    """Prints `active`, `inactive`, `failed`, …; `inactive` for a unit that is not there."""
    return ("systemctl", "show", "-p", "ActiveState", "--value", unit)


class SystemdDriver:
    """State of units."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def state(self, node: str, unit: str) -> str:
        """ "active", "inactive", "failed", …; TransportError when the node cannot be asked."""
        asked = self._transport.run(node, is_active_argv(unit), timeout_s=8.0)
        return asked.stdout.strip() or "unknown"
