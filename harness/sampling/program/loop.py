"""The event loop: one selector, one heap of timers, and an account of its own lateness."""

from __future__ import annotations

import heapq
import itertools
import selectors
import time
from collections.abc import Callable
from typing import Any

LAG_FLOOR_S = 0.005
"""Shorter stops are the ordinary cost of a handshake and change no sample."""


class Timer:
    """A callback to come; ``cancel`` makes it nothing."""

    __slots__ = ("callback", "order", "when")

    def __init__(self, when: float, order: int, callback: Callable[[], None]) -> None:
        self.when = when
        self.order = order
        self.callback: Callable[[], None] | None = callback

    def __lt__(self, other: Timer) -> bool:
        return (self.when, self.order) < (other.when, other.order)

    def cancel(self) -> None:
        """Never calls back; the heap drops it when its time comes."""
        self.callback = None


class Loop:
    """Calls back on readiness and at times (seconds of ``time.monotonic``).

    ``stalled_s`` grows by the time that the loop was not looking although it should have been: an
    answer that is seen late by less than its growth may have come in time.
    """

    def __init__(self) -> None:
        self.stalled_s = 0.0
        self.stalls = 0
        self._selector = selectors.DefaultSelector()
        self._timers: list[Timer] = []
        self._orders = itertools.count()
        self._running = True

    def watch(self, handle: Any, events: int, callback: Callable[[int], None]) -> None:
        """Calls ``callback(events)`` whenever ``handle`` is ready; replaces an earlier watch."""
        if handle in self._selector.get_map():
            self._selector.modify(handle, events, callback)
        else:
            self._selector.register(handle, events, callback)

    def forget(self, handle: Any) -> None:
        """Watches ``handle`` no more; do this before closing it."""
        number = handle if isinstance(handle, int) else handle.fileno()
        if number >= 0 and number in self._selector.get_map():  # below 0: closed by itself
            self._selector.unregister(handle)

    def at(self, when: float, callback: Callable[[], None]) -> Timer:
        """Calls ``callback`` once, at ``when`` or as soon after as can be."""
        timer = Timer(when, next(self._orders), callback)
        heapq.heappush(self._timers, timer)
        return timer

    def stop(self) -> None:
        """Ends ``run`` after the callback that is being run."""
        self._running = False

    def run(self) -> None:
        """Runs until ``stop``. Readiness goes before timers: an answer that is there counts."""
        busy_since = time.monotonic()
        while self._running:
            asleep_since = time.monotonic()
            self._note_lag(asleep_since - busy_since)
            wake = self._timers[0].when if self._timers else asleep_since + 1.0
            ready = self._selector.select(max(0.0, wake - asleep_since))
            busy_since = time.monotonic()
            self._note_lag(busy_since - max(wake, asleep_since))
            for key, events in ready:
                # An earlier callback of this round may have closed it.
                if self._selector.get_map().get(key.fd) is key:
                    key.data(events)
            self._call_due()

    def _call_due(self) -> None:
        now = time.monotonic()
        while self._running and self._timers and self._timers[0].when <= now:
            callback = heapq.heappop(self._timers).callback
            if callback is not None:
                callback()

    def _note_lag(self, lag_s: float) -> None:
        if lag_s > LAG_FLOOR_S:
            self.stalled_s += lag_s
            self.stalls += 1
