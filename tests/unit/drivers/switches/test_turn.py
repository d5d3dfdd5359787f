"""Look, act, look until it is so: on a switch in memory, with a clock in memory."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from quorate.harness.drivers.power import SWITCH_TIMEOUT_S
from quorate.harness.drivers.switches.switch import (
    AGAIN_S,
    CALL_TIMEOUT_S,
    PERIOD_S,
    RETRY_S,
    TRIES,
    TURN_TIMEOUT_S,
    Action,
    Power,
    State,
    Step,
    turn,
)
from quorate.harness.errors import DriverError, NodeUnreachable, RefusedError

ON, OFF, OTHER = State.ON, State.OFF, State.OTHER
DEAD = NodeUnreachable("cp1", argv=["ask"], problem="nothing answers")


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


class Told:
    """Is asked and answers from a list, whose last entry holds; remembers when it was told what."""

    def __init__(self, answers: Sequence[State | Exception], clock: Clock) -> None:
        self.answers = list(answers)
        self.clock = clock
        self.acts: list[tuple[float, str]] = []
        self.refusal: Exception | None = None

    def power(self) -> Power:
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(found, Exception):
            raise found
        return Power(found, str(found))

    def step(self, action: Action) -> Step:
        if self.refusal is not None:
            raise self.refusal
        return Step(action, lambda: self.acts.append((self.clock.now(), action)))


def turned(
    action: Action, answers: Sequence[State | Exception]
) -> tuple[bool, list[tuple[float, str]]]:
    clock = Clock()
    switch = Told(answers, clock)
    return turn("cp1", switch, action, clock=clock, timeout_s=TURN_TIMEOUT_S), switch.acts


@pytest.mark.parametrize(("action", "state"), [("on", ON), ("off", OFF)])
def test_what_is_so_already_is_left_alone(action: Action, state: State) -> None:
    assert turned(action, [state]) == (False, [])


def test_off_returns_when_it_is_off_and_not_before() -> None:
    assert turned("off", [ON, ON, OTHER, OFF]) == (True, [(0.0, "off")])


def test_off_is_hard_on_one_that_is_shutting_down() -> None:
    assert turned("off", [OTHER, OFF]) == (True, [(0.0, "off")])


def test_on_waits_for_one_that_is_only_going_off() -> None:
    assert turned("on", [OTHER, OTHER, OFF, ON]) == (True, [(2 * PERIOD_S, "on")])


def test_one_that_did_not_listen_is_told_again() -> None:
    _, acts = turned("on", [OFF, *[OFF] * int(AGAIN_S / PERIOD_S), ON])
    assert acts == [(0.0, "on"), (AGAIN_S, "on")]


def test_it_is_asked_again_when_nothing_answers() -> None:
    assert turned("on", [*[DEAD] * (TRIES - 1), OFF, *[DEAD] * (TRIES - 1), ON])[0]


def test_not_for_ever() -> None:
    clock = Clock()
    with pytest.raises(NodeUnreachable):
        turn("cp1", Told([*[DEAD] * TRIES, ON], clock), "on", clock=clock, timeout_s=TURN_TIMEOUT_S)
    assert clock.now() == (TRIES - 1) * RETRY_S


def test_a_refusal_is_final() -> None:
    clock = Clock()
    switch = Told([ON], clock)
    switch.refusal = RefusedError("transient")
    with pytest.raises(RefusedError):
        turn("cp1", switch, "off", clock=clock, timeout_s=TURN_TIMEOUT_S)
    assert clock.now() == 0.0


def test_one_that_never_goes_off_is_an_error_that_says_what_it_is() -> None:
    with pytest.raises(DriverError, match="was told 'off' and is 'on' after 40 s"):
        turned("off", [ON])


def test_one_that_hangs_half_way_is_never_told_on() -> None:
    with pytest.raises(DriverError, match="was not told 'on' and is 'other'"):
        turned("on", [OTHER])


def test_a_run_waits_longer_than_a_switch() -> None:
    assert TURN_TIMEOUT_S + CALL_TIMEOUT_S < SWITCH_TIMEOUT_S
