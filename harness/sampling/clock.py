"""How far a node's monotonic clock is from ours, and how well that is known; pure.

As NTP does it (RFC 5905, section 8): a node tells its time somewhere between the sending of a
question and the arrival of the answer, so ``offset = node − (sent + received) / 2`` is right to
half of the round trip, whatever the ways there and back took. The quickest of several counts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

READINGS = 10
"""Of which the quickest counts, at the start and at the end."""

DRIFT = 500e-6
"""How fast two clocks may part that nobody compares: what Linux slews one by at most (adjtimex(2),
MAXFREQ), seconds a second."""


class Reading(NamedTuple):
    """One round trip, in nanoseconds; ``at_ns`` on our clock, ``offset_ns`` node minus ours."""

    at_ns: int
    offset_ns: int
    round_trip_ns: int

    @classmethod
    def of(cls, sent_ns: int, node_ns: int, received_ns: int) -> Reading:
        """From the three times of a question."""
        middle = (sent_ns + received_ns) // 2
        return cls(middle, node_ns - middle, received_ns - sent_ns)


def quickest(readings: Iterable[Reading]) -> Reading:
    """The one that knows best; ValueError where there is none."""
    return min(readings, key=lambda one: one.round_trip_ns)


@dataclass
class ClockTrack:
    """Readings of one node's clock over a run. ``start``: what its sampler was told to go by."""

    start: Reading
    latest: deque[Reading] = field(default_factory=lambda: deque(maxlen=READINGS))

    def take(self, reading: Reading) -> None:
        """A later one."""
        self.latest.append(reading)

    def drift_s(self) -> float:
        """By how much the offset has changed since the start, as far as is known."""
        return (self._end.offset_ns - self.start.offset_ns) / 1e9

    def uncertainty_s(self, *, now_ns: int) -> float:
        """How far a sample's time may be from the truth: half a round trip, what the clocks have
        parted by since, and what they may have parted by since anybody last compared them."""
        round_trip_ns = max(self.start.round_trip_ns, self._end.round_trip_ns)
        unseen_s = max(0, now_ns - self._end.at_ns) / 1e9
        return round_trip_ns / 2e9 + abs(self.drift_s()) + DRIFT * unseen_s

    @property
    def _end(self) -> Reading:
        return quickest(tuple(self.latest)) if self.latest else self.start

    def told(self, *, now_ns: int) -> dict[str, object]:
        """For the record, seconds."""
        return {
            "offset_s": self.start.offset_ns / 1e9,
            "round_trip_s": self.start.round_trip_ns / 1e9,
            "drift_s": round(self.drift_s(), 9),
            "uncertainty_s": round(self.uncertainty_s(now_ns=now_ns), 9),
        }
