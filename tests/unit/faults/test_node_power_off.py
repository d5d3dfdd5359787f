"""node_power_off: power that comes back before it has gone is no undo."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from typing import Any

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.machine import BOOT_ID_PATTERN, STAYS_S, stays_argv
from quorate.harness.drivers.power import SWITCH_TIMEOUT_S, PowerDriver
from quorate.harness.errors import NodeUnreachable
from quorate.harness.faults.contract import Plan
from quorate.harness.faults.node_power_off import NodePowerOff
from quorate.harness.model.cluster import HARNESS
from quorate.harness.transport import CommandResult, MemoryTransport
from quorate.harness.undo.execute import CONFIRM_TRY_S, execute_with
from quorate.harness.undo.in_flight import IN_FLIGHT_WAIT_S

OLD, NEW = "0" * 8 + "-0000-0000-0000-" + "0" * 12, "1" * 8 + "-1111-1111-1111-" + "1" * 12


class Machine(MemoryTransport):
    """Was told to go off, and does so at `dies_at`; from then on power makes it boot."""

    def __init__(self, *, dies_at: float) -> None:
        super().__init__()
        self.t, self.dies_at = 0.0, dies_at
        self.boot = OLD

    def run(self, node: str, argv: Sequence[str], **more: Any) -> CommandResult:
        said = super().run(node, argv, **more)
        is_off = self.boot == OLD and self.t >= self.dies_at
        if node == HARNESS:
            self.boot = NEW if is_off else self.boot
            return said
        gone = NodeUnreachable(node, argv=argv, problem="no way")
        if is_off:
            raise gone
        assert argv[-2:] == (OLD, f"{STAYS_S:g}")
        if self.boot == OLD:
            self.t += STAYS_S
            if self.t >= self.dies_at:
                raise gone
        return CommandResult(node, tuple(argv), 0, f"{self.boot}\n", "", 0.0)

    def sleep(self, seconds: float) -> None:
        self.t += seconds


def undone(drivers: Drivers, machine: Machine) -> None:
    object.__setattr__(drivers, "power", PowerDriver(drivers.cluster))
    plan = Plan("node_power_off-1", ("cp1",), before={"boot_id:cp1": OLD})
    (undo,) = NodePowerOff().undos(drivers, plan=plan)
    execute_with(machine, clock=lambda: machine.t, sleep=machine.sleep)(undo)


def test_power_that_came_before_it_had_gone_is_given_again(drivers: Drivers) -> None:
    machine = Machine(dies_at=5.0)
    undone(drivers, machine)
    assert machine.boot == NEW
    assert [call.node for call in machine.calls].count(HARNESS) == 2


def test_one_that_was_never_off_is_on_when_it_lives_on(drivers: Drivers) -> None:
    machine = Machine(dies_at=1e9)
    undone(drivers, machine)
    assert machine.boot == OLD
    assert machine.t >= STAYS_S


def test_the_look_fits_into_one_confirmation_and_acts_into_the_wait() -> None:
    assert STAYS_S < CONFIRM_TRY_S
    assert SWITCH_TIMEOUT_S < IN_FLIGHT_WAIT_S


def test_a_new_boot_is_told_at_once() -> None:
    """The real script, on this machine, whose boot is not that one."""
    done = subprocess.run(stays_argv(OLD), capture_output=True, text=True, timeout=STAYS_S / 2)
    assert re.search(BOOT_ID_PATTERN, done.stdout, re.MULTILINE)
