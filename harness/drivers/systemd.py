"""systemd units on a node."""

from __future__ import annotations

import re
from collections.abc import Sequence

from quorate.harness.errors import DriverError
from quorate.harness.transport import Transport

RESTARTS = ("always", "on-failure", "on-abnormal", "on-abort")
"""Values of Restart= by which a process that was killed is started again (systemd.service(5))."""

_SPAN = re.compile(r"(\d+(?:\.\d+)?)(us|ms|s|min|h)")
_SPANS_S = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0}


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

    def restart_s(self, node: str, unit: str) -> float | None:
        """After how long systemd starts the unit again when it was killed; None: not at all.

        TransportError when the node cannot be asked, DriverError when it has no such unit.
        """
        argv = ("systemctl", "show", "-p", "LoadState,Restart,RestartUSec", unit)
        asked = self._transport.check(node, argv, timeout_s=8.0)
        shown = dict(line.split("=", 1) for line in asked.stdout.splitlines() if "=" in line)
        if shown.get("LoadState") != "loaded":
            raise DriverError(f"{node} has no unit {unit}")
        if shown.get("Restart") not in RESTARTS:
            return None
        spans = _SPAN.findall(shown.get("RestartUSec", ""))
        return sum(float(number) * _SPANS_S[word] for number, word in spans)
