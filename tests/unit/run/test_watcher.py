"""The loop beside the work: what goes wrong with looking must not leave an act alone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from quorate.harness.errors import InjectionFailed, ProbeError, QuorateError, StoreError
from quorate.harness.run import pace
from quorate.harness.run.watcher import Watcher


class Observer:
    """Fails at each look, and says how often it was asked to."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.looks = 0
        self.seen = threading.Event()

    def poll(self) -> None:
        self.looks += 1
        if self.looks == 3:
            self.seen.set()
        raise self.error


def watching(observer: Any, monkeypatch: pytest.MonkeyPatch) -> Watcher:
    monkeypatch.setattr(pace, "TICK_S", 0.001)
    nothing: Any = None
    return Watcher(nothing, observer=observer, clock=nothing, progress=nothing)


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (StoreError("events.jsonl: No space left on device"), StoreError),
        (ProbeError("the sampler has ended"), ProbeError),
        (OSError(5, "Input/output error"), StoreError),
    ],
)
def test_an_act_is_waited_for_whatever_goes_wrong_beside_it(
    error: Exception, raised: type[QuorateError], monkeypatch: pytest.MonkeyPatch
) -> None:
    observer = Observer(error)
    done: list[str] = []

    def act() -> None:
        assert observer.seen.wait(10)
        done.append("to its end")

    with pytest.raises(raised):
        watching(observer, monkeypatch).beside(act, what="acting")
    assert done == ["to its end"]


def test_what_the_act_raised_outranks(monkeypatch: pytest.MonkeyPatch) -> None:
    observer = Observer(StoreError("full"))

    def act() -> None:
        assert observer.seen.wait(10)
        raise InjectionFailed("half on")

    work: Callable[[], None] = act
    with pytest.raises(InjectionFailed, match="half on"):
        watching(observer, monkeypatch).beside(work, what="acting")
