"""The loop beside the work: what goes wrong with looking must not leave an act alone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from quorate.harness.errors import InjectionFailed, ProbeError, QuorateError, StoreError
from quorate.harness.model.objectives import LongestOutage
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


@pytest.mark.parametrize(("lost", "steady"), [("", False), ("its node was started anew", True)])
def test_a_probe_whose_vantage_is_lost_is_not_waited_for(
    lost: str, steady: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    watcher = watching(Observer(OSError()), monkeypatch)
    bounds = [
        LongestOutage(indicator="longest_outage_s", of=probe, at_most=5, during="fault")
        for probe in ("api", "far")
    ]
    experiment: Any = SimpleNamespace(objectives=bounds)
    watcher._experiment = experiment
    good_s = {"api": 60.0, "far": 0.0}
    sampling: Any = SimpleNamespace(
        lost=lambda probe: lost if probe == "far" else "",
        view=SimpleNamespace(good_for_s=lambda probe, deadline_s: good_s[probe]),
    )
    watcher.sampling = sampling
    assert watcher.steady(5.0) is steady
    good_s["api"] = 1.0
    assert not watcher.steady(5.0), "the others are"
