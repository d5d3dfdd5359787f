"""Everything that a run saw, on one monotonic base: events and samples.

All times are seconds since the run's base (``run.json``: ``base.monotonic_ns`` on CLOCK_MONOTONIC).
Samples lie in columns, because a long run has millions of them: 33 bytes a sample.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field

from quorate.harness.model.register import Operation

OK, FAILED, UNKNOWN = 0, 1, 2
"""Outcome of one sample. UNKNOWN: *we* could not tell; it is never counted as OK."""

OUTCOMES = ("OK", "FAILED", "UNKNOWN")
"""The words of the outcomes, as they stand in samples/*.jsonl."""

TIMED_OUT = "timeout"
DROPPED = "dropped: an older request timed out"
"""Details of failures that only our waiting showed (sampling/program/probe.py)."""

CONTROL_PROBE = "_control"
"""The sampler's probe of itself, over the loopback; it is in no experiment."""

BESIDE_HARNESS = "harness"
"""The vantage of probes that say nothing else."""


def control_of(vantage: str, /) -> str:
    """The name of a sampler's probe of itself, by its vantage (a word of the experiment)."""
    if vantage == BESIDE_HARNESS:
        return CONTROL_PROBE
    return f"{CONTROL_PROBE}.{vantage.replace(':', '_')}"


@dataclass(frozen=True)
class Event:
    """One thing that happened; ``t`` in seconds since the base, ``data`` as written."""

    t: float
    kind: str
    data: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class SampleSeries:
    """All samples of one probe, sorted by ``k``; the columns have one length.

    Args:
        k: number of the tick, from 0; a number that is not there is a sample that was lost.
        due: intended start. end: when the outcome was known. Both in seconds.
        outcome: OK, FAILED or UNKNOWN, one byte each.
        detail: number of the text in ``texts`` that says why it was not OK.
        peer: number of the text in ``texts`` that says who answered. ``texts[0]`` is "".
        stalled_s: index → how long the sampler itself was stopped while that sample was under
            way, seconds; an OK that came late by less than this is UNKNOWN, not bad.
    """

    probe: str
    k: array[int]
    due: array[float]
    end: array[float]
    outcome: bytes
    detail: array[int]
    peer: array[int]
    texts: tuple[str, ...] = ("",)
    stalled_s: Mapping[int, float] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.due)


@dataclass(frozen=True)
class Timeline:
    """A whole run as read from disk.

    Args:
        run_id: name of the run. events: sorted by time, those of one instant as written.
        series: probe → its samples; the control probe is among them.
        operations: what the samples tell of registers, each probe's in the order of its lines.
        sampler: what the sampler said about itself (policy, lateness), empty where it did not.
        notes: oddities found while reading (a torn last line), for the reader of a report.
    """

    run_id: str
    events: tuple[Event, ...]
    series: Mapping[str, SampleSeries]
    operations: tuple[Operation, ...] = ()
    sampler: Mapping[str, object] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def of_kind(self, kind: str, /) -> tuple[Event, ...]:
        """All events of ``kind``, in order."""
        return tuple(event for event in self.events if event.kind == kind)

    def first(self, kind: str, /) -> Event | None:
        """The first event of ``kind``, None where there is none."""
        return next((event for event in self.events if event.kind == kind), None)

    def last(self, kind: str, /) -> Event | None:
        """The last event of ``kind``, None where there is none."""
        return next((event for event in reversed(self.events) if event.kind == kind), None)

    @property
    def end(self) -> float:
        """The end of the data: the last event's or sample's time, 0.0 where there is neither."""
        times = [series.due[-1] for series in self.series.values() if len(series)]
        if self.events:
            times.append(self.events[-1].t)
        return max(times, default=0.0)
