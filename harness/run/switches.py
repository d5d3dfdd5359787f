"""The dead man's switch: a timer on the node that undoes a fault although nobody is left to ask.

Armed on the node before the act, disarmed after the fault's own undo was confirmed. What it runs
is the undo as the journal holds it. A transient unit does not survive a reboot; what a fault does
must not survive one either.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from quorate.harness.drivers.systemd import active_state_argv, stop_argv, timer_argv
from quorate.harness.errors import RefusedError, TransportError
from quorate.harness.faults.contract import Act, Plan
from quorate.harness.model.cluster import HARNESS
from quorate.harness.model.undo import Undo
from quorate.harness.transport import Transport

MEANS_ARGV = ("systemd-run", "--version")
LOOK_S = 4.0
"""For one look at a switch, which an undo waits for."""


@dataclass(frozen=True)
class Switch:
    """One timer for one undo."""

    arm: Act
    disarm: Undo


def switches_for(undos: Sequence[Undo], *, plan: Plan) -> list[Switch]:
    """A switch for each undo that is carried out on a cluster node; pure.

    An undo run from the harness (a power switch, the API) has none: the machine that it would
    need is the one that has died.
    """
    on_nodes = [undo for undo in undos if undo.node != HARNESS]
    return [_switch(undo, plan, number) for number, undo in enumerate(on_nodes, start=1)]


def check_means(switches: Sequence[Switch], *, transport: Transport) -> None:
    """RefusedError naming a node that cannot hold a switch; nothing is changed."""
    for node in dict.fromkeys(one.arm.node for one in switches):
        asked = transport.run(node, MEANS_ARGV, timeout_s=8.0)
        if asked.returncode != 0:
            raise RefusedError(
                f"{node} has no systemd-run, so no dead man's switch can be armed there; "
                "systemd must run as the machine's init"
            )


def gone_off(disarms: Sequence[Undo], *, transport: Transport) -> list[str]:
    """The nodes whose switch is not armed any more: it has gone off, or was lost in a reboot.

    One that cannot be asked is not among them. Raises nothing: an undo must not fail for this.
    """
    gone = []
    for disarm in {one.node: one for one in disarms}.values():
        assert disarm.confirm_argv is not None
        assert disarm.confirm_expect is not None
        try:
            asked = transport.run(disarm.node, disarm.confirm_argv, timeout_s=LOOK_S)
        except (TransportError, OSError):
            continue
        if re.search(disarm.confirm_expect, asked.stdout, re.MULTILINE):
            gone.append(disarm.node)
    return gone


def _switch(undo: Undo, plan: Plan, number: int) -> Switch:
    unit = f"{plan.unit}-{number}"
    timer = f"{unit}.timer"
    return Switch(
        arm=Act(undo.node, timer_argv(unit, undo.argv, after_s=plan.deadline_s)),
        disarm=Undo(
            id=f"{plan.injection}:switch:{number}",
            injection=plan.injection,
            node=undo.node,
            argv=stop_argv(timer),
            confirm_argv=active_state_argv(timer),
            # "failed" cannot go off either. Absent is "inactive": never armed, gone off, rebooted.
            confirm_expect=r"^(inactive|failed)$",
            text=f"disarm the dead man's switch on {undo.node} ({timer})",
        ),
    )
