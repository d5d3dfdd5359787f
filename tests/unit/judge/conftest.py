"""Tiny hand-written runs: an experiment, events, and a series spelled as a string."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from quorate.harness.model.experiment import Experiment
from quorate.harness.model.frame import CONTROLS, HYPOTHESIS, RUNTIME
from quorate.harness.model.timeline import CONTROL_PROBE, Event, SampleSeries, Timeline

PERIOD_S = 0.1
"""10 Hz everywhere in these tests."""

SPELLING = {".": (0, 0.01), "!": (1, 0.01), "?": (2, 0.0), "~": (0, 1.5)}
"""good, failed, unknown, and OK after 1.5 s; a blank is a tick that left no line."""


@pytest.fixture
def make_experiment() -> Callable[..., Experiment]:
    """An experiment with a power-off and an undo; keywords replace parts of our extension."""

    def make(*, method: Sequence[str] = ("node_power_off", "undo"), **change: Any) -> Experiment:
        plan: dict[str, Any] = {
            "name": "quorate",
            "format": 1,
            "baseline_s": 30,
            "probes": {
                "api": {
                    "probe": "api_quorum_read",
                    "path": "vip",
                    "connection": "new",
                    "rate_hz": 10,
                }
            },
            "objectives": [{"indicator": "longest_outage_s", "of": "api", "at_most": 5}],
        }
        return Experiment.from_mapping(
            {
                "title": "t",
                "description": "d",
                "controls": CONTROLS,
                "runtime": RUNTIME,
                "steady-state-hypothesis": HYPOTHESIS,
                "method": [_step(func) for func in method],
                "extensions": [plan | change],
            }
        )

    return make


def _step(func: str) -> dict[str, Any]:
    provider = {"type": "python", "module": "quorate.faults", "func": func}
    return {"name": func, "type": "action", "provider": provider}


@pytest.fixture
def make_series() -> Callable[..., SampleSeries]:
    """``"...!!?.."`` → samples at 10 Hz from ``first_due`` on; see SPELLING."""

    def make(spelled: str, *, first_due: float = 0.0, probe: str = "api") -> SampleSeries:
        k, due, end, outcome = array("q"), array("d"), array("d"), bytearray()
        for tick, letter in enumerate(spelled):
            if letter == " ":
                continue
            code, latency_s = SPELLING[letter]
            k.append(tick)
            due.append(round(first_due + tick * PERIOD_S, 6))
            end.append(round(first_due + tick * PERIOD_S + latency_s, 6))
            outcome.append(code)
        zeros = array("I", [0] * len(k))
        return SampleSeries(probe, k, due, end, bytes(outcome), zeros, zeros)

    return make


@pytest.fixture
def make_run(make_series: Callable[..., SampleSeries]) -> Callable[..., Timeline]:
    """A run whose baseline lasts 0..30, fault 30..40, return 40..45; ``spelled`` from 30 on.

    ``events`` are added; ``without`` kinds are left out.
    """

    def make(
        spelled: str = "." * 150,
        *,
        baseline: str = "." * 300,
        events: Sequence[Event] = (),
        without: Sequence[str] = (),
    ) -> Timeline:
        every = [
            Event(0.0, "run_opened"),
            Event(0.0, "baseline_started"),
            Event(30.0, "baseline_ended"),
            Event(
                30.0,
                "injection_started",
                {
                    "injection": "i1",
                    "fault": "node_power_off",
                    "nodes": ["cp1"],
                    "facts": {"vip_holder": "cp1", "etcd_leader": "cp2"},
                },
            ),
            Event(31.0, "injection_proved", {"injection": "i1", "ok": True, "evidence": "boot id"}),
            Event(40.0, "undo_started", {"injection": "i1"}),
            Event(41.0, "undo_done", {"injection": "i1", "ok": True, "evidence": "answers"}),
            Event(43.0, "whole", {"whole": True, "missing": []}),
            Event(45.0, "return_ended", {"reached": True}),
            Event(45.0, "sampling_stopped"),
            Event(45.0, "run_closed", {"reason": "completed"}),
        ]
        every = [event for event in every if event.kind not in without]
        whole = Event(30.5, "whole", {"whole": False, "missing": ["node cp1"]})
        control = make_series("." * 450, probe=CONTROL_PROBE)
        return Timeline(
            run_id="20260101T000000Z-t-0000",
            events=tuple(sorted([*every, whole, *events], key=lambda event: event.t)),
            series={"api": make_series(baseline + spelled), CONTROL_PROBE: control},
        )

    return make
