"""How late ticks are sent, as counts in classes: an hour takes as much memory as a second."""

from __future__ import annotations

import math
from array import array

FINEST_S = 1e-6
STEP = 1.02
"""Each class is 2 % wider than the one before, so a quantile is at most 2 % too large."""

_CLASSES = 1200  # up to FINEST_S · STEP**1200: 5 hours


class Lateness:
    """Counts of ``sent − due``, seconds."""

    def __init__(self) -> None:
        self._counts = array("Q", bytes(8 * _CLASSES))
        self._max_s = 0.0

    def add(self, late_s: float) -> None:
        """One tick."""
        steps = math.log(max(late_s, FINEST_S) / FINEST_S) / math.log(STEP)
        self._counts[min(math.ceil(steps), _CLASSES - 1)] += 1
        self._max_s = max(self._max_s, late_s)

    def include(self, other: Lateness) -> None:
        """All ticks of another."""
        for number, count in enumerate(other._counts):
            self._counts[number] += count
        self._max_s = max(self._max_s, other._max_s)

    def quantile(self, share: float) -> float | None:
        """What that share of all ticks were no later than; None without a tick."""
        wanted = share * sum(self._counts)
        seen = 0
        for number, count in enumerate(self._counts):
            seen += count
            if count and seen >= wanted:
                return min(FINEST_S * STEP**number, self._max_s)
        return None
