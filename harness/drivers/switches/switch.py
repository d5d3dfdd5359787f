"""What all switches have in common: look, act, and look until it is so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, Protocol

from quorate.harness.drivers.clock import Clock
from quorate.harness.errors import DriverError, TransportError

Action = Literal["on", "off"]

CALL_TIMEOUT_S = 15.0
"""One question to a BMC or a hypervisor. With TURN_TIMEOUT_S it stays below the
`drivers.power.SWITCH_TIMEOUT_S` that a run gives to the whole command."""
TURN_TIMEOUT_S = 40.0
PERIOD_S = 0.5
AGAIN_S = 10.0
"""A BMC may accept a command so soon after the one before and yet drop it: it is told again. Both
commands are harmless where they are not needed; none of them is a push of the button."""
TRIES = 4
RETRY_S = 2.0
"""So many times in a row nothing may answer, so many seconds apart; a BMC is slow and drops
packets, and `on` is an undo."""


class State(StrEnum):
    ON = "on"
    OFF = "off"
    OTHER = "other"


@dataclass(frozen=True)
class Power:
    """``word`` is the system's own for it."""

    state: State
    word: str


@dataclass(frozen=True)
class Step:
    """What would be done: ``text`` for people, without any secret, and the doing."""

    text: str
    run: Callable[[], object]


class Switch(Protocol):
    """One machine's. Raises TransportError where nothing answers, for which it is asked again."""

    def power(self) -> Power:
        """As it is now."""
        ...

    def step(self, action: Action) -> Step:
        """What `action` takes; only looks. RefusedError or DriverError where it cannot be done."""
        ...


def turn(node: str, switch: Switch, action: Action, *, clock: Clock, timeout_s: float) -> bool:
    """Switch and wait until it is so; whether anything had to be done.

    `off` cuts the power whatever the machine does; `on` is told to one that is off, and waits for
    one that is only going off. Raises DriverError when it is not so after ``timeout_s`` seconds.
    """
    wanted, deadline = State(action), clock.now() + timeout_s
    acted, act_at, failures = False, clock.now(), 0
    while True:
        try:
            power = switch.power()
            if power.state is wanted:
                return acted
            if clock.now() >= act_at and (action == "off" or power.state is State.OFF):
                switch.step(action).run()
                acted, act_at = True, clock.now() + AGAIN_S
            failures = 0
        except TransportError:
            failures += 1
            if failures == TRIES or clock.now() >= deadline:
                raise
            clock.sleep(RETRY_S)
        else:
            if clock.now() >= deadline:
                told = f"was told {action!r}" if acted else f"was not told {action!r}"
                raise DriverError(
                    f"{node}: {told} and is {power.word!r} after {timeout_s:g} s; "
                    "look at its console, or give it longer with --timeout"
                )
            clock.sleep(PERIOD_S)
