"""An hour of ticks on a clock of ours: the program keeps counts, not ticks."""

from __future__ import annotations

import heapq
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from quorate.harness.sampling.program import probe as program
from quorate.harness.sampling.program.answer import Answer
from quorate.harness.sampling.program.lateness import STEP, Lateness
from quorate.harness.sampling.program.loop import Timer

RATE_HZ = 20.0
HOUR = int(3600 * RATE_HZ)


class Clock:
    """Time, and the loop that passes it."""

    stalled_s = 0.0

    def __init__(self) -> None:
        self.now = 0.0
        self._timers: list[Timer] = []

    def monotonic(self) -> float:
        return self.now

    def at(self, when: float, callback: Callable[[], None]) -> Timer:
        timer = Timer(when, int(when * 1e6), callback)
        heapq.heappush(self._timers, timer)
        return timer

    def step(self) -> None:
        timer = heapq.heappop(self._timers)
        self.now = max(self.now, timer.when) + 0.0001
        if timer.callback is not None:
            timer.callback()


class Paper:
    """A sample file that forgets."""

    lines = 0

    def add(self, sample: dict[str, object]) -> None:
        self.lines += 1


class AnsweredAtOnce(program.Probe):
    """A probe without a network."""

    def _fire(self, shot: program.Shot) -> None:
        nobody: Any = None
        self._judge(shot, Answer(200, b"ok", True), link=nobody)


def test_an_hour_of_ticks_takes_no_more_memory_than_its_first_minute(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, paper = Clock(), Paper()
    monkeypatch.setattr(program, "time", clock)
    plan = {"name": "api", "rate_hz": RATE_HZ, "hard_timeout_s": 5.0, "in_flight_max": 512}
    plan |= {"requests": ["GET"], "status": [200], "body_contains": "ok"}
    loop: Any = clock
    output: Any = paper
    target: Any = None
    probe = AnsweredAtOnce(plan, loop=loop, target=target, output=output, base_s=0.0)
    probe.start(1.0)
    while paper.lines < 60 * RATE_HZ:
        clock.step()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        while paper.lines < HOUR:
            clock.step()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert probe.counts["OK"] == HOUR
    # What the tracer did not see being made before: a hundred timers that have yet to run out.
    assert after - before < 100_000


def test_quantiles_are_a_step_too_large_at_most() -> None:
    late = Lateness()
    assert late.quantile(0.5) is None
    for number in range(1, 1001):
        late.add(number / 1000)
    other = Lateness()
    other.add(0.0)
    other.add(7200.0)
    late.include(other)
    for share, exact in ((0.5, 0.5), (0.99, 0.991), (0.998, 0.999)):
        assert late.quantile(share) == pytest.approx(exact * STEP**0.5, rel=STEP - 1)
    assert late.quantile(1.0) == 7200.0
