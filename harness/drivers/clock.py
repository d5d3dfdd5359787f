"""The clock that everything above the drivers uses, so that tests need not wait."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol


class Clock(Protocol):
    """Seconds on a monotonic base of its own, and waiting."""

    def now(self) -> float:
        """Seconds since some fixed instant."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait that many seconds."""
        ...


class MonotonicClock:
    """CLOCK_MONOTONIC."""

    def now(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


def wait_until(
    clock: Clock, condition: Callable[[], bool], *, timeout_s: float, period_s: float = 0.1
) -> bool:
    """Ask until `condition` holds or `timeout_s` seconds have passed; whether it held.

    It is asked at least once, and a last time at the end.
    """
    deadline = clock.now() + timeout_s
    while True:
        if condition():
            return True
        if clock.now() >= deadline:
            return False
        clock.sleep(period_s)
