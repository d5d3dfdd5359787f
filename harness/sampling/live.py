"""Follows the sample files while they grow: what clients see right now.

Only for deciding when to go on (recovered, steady, guard); the verdict is made from disk later.
A tick that has no sample although its deadline has passed counts as bad here: its request hangs.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable, Mapping
from pathlib import Path

from quorate.harness.judge.intervals import Classified, Counts, Interval, intervals
from quorate.harness.model.timeline import OK, OUTCOMES
from quorate.harness.store.run_directory import RunDirectory

SETTLE_S = 0.3
"""After its deadline, how long a sample may take to reach us: a flush (0.1 s) and our polling."""

LINK_S = 1.0
"""How far a link to a node may lie behind; what it has not told by then is unknown."""

_ABSENT = len(OUTCOMES)
_CODES = {word: code for code, word in enumerate(OUTCOMES)}


class LiveView:
    """Reads what is new at each ``poll``; every other method answers from what was read."""

    def __init__(
        self,
        run: RunDirectory,
        *,
        rates_hz: Mapping[str, float],
        heard: Mapping[str, Callable[[], float | None]] | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        """``rates_hz``: probe → its rate. ``clock``: seconds since the base; the run's own.
        ``heard``: of probes that are asked elsewhere, until when their samples are here."""
        self._clock = clock or run.now
        self._heard = dict(heard or {})
        self._tails = {
            probe: _Tail(run.samples_file(probe), period_s=1.0 / rate_hz)
            for probe, rate_hz in rates_hz.items()
        }

    def poll(self) -> None:
        """Reads what the sampler has written since the last call."""
        for tail in self._tails.values():
            tail.read()

    def last_bad_due(self, probe: str, /, *, deadline_s: float) -> float | None:
        """When the last sample that was not good was due; None where all were good."""
        seen = self._seen(probe, deadline_s=deadline_s)
        last = max(seen.codes.rfind(b"\x01"), seen.codes.rfind(b"\x02"))
        return None if last < 0 else seen.due(last)

    def good_for_s(self, probe: str, /, *, deadline_s: float) -> float:
        """Length of the unbroken good stretch up to the newest sample known, 0 if there is none.

        An unknown sample breaks it.
        """
        seen = self._seen(probe, deadline_s=deadline_s)
        last = max(seen.codes.rfind(b"\x01"), seen.codes.rfind(b"\x02"))
        return max(0, len(seen.codes) - 1 - (last + 1)) * seen.period_s

    def current_outage_s(self, probe: str, /, *, deadline_s: float) -> float:
        """How long the outage that is going on has lasted so far, 0 if none is."""
        current = self.current_outage(probe, deadline_s=deadline_s)
        return 0.0 if current is None else max(0.0, self._clock() - current.start)

    def current_outage(self, probe: str, /, *, deadline_s: float) -> Interval | None:
        """The disruption interval that has not ended yet, None if there is none."""
        found = intervals(self._seen(probe, deadline_s=deadline_s))
        return found[-1] if found and found[-1].censored else None

    def longest_outage_s(self, probe: str, /, *, deadline_s: float, since: float) -> float:
        """The longest disruption that began at ``since`` or later, the current one included."""
        found = intervals(self._seen(probe, deadline_s=deadline_s))
        lengths = [
            (self._clock() if one.censored else one.end) - one.start
            for one in found
            if one.start >= since
        ]
        return max(lengths, default=0.0)

    def counts(
        self, probe: str, /, *, deadline_s: float, since: float = 0.0, until: float | None = None
    ) -> Counts:
        """Samples known that were due in [``since``, ``until``); those under way are left out."""
        seen = self._seen(probe, deadline_s=deadline_s)
        high = len(seen.codes) if until is None else seen.tick_at(until)
        codes = seen.codes[seen.tick_at(since) : high]
        return Counts(codes.count(b"\x00"), codes.count(b"\x01"), codes.count(b"\x02"))

    def settled_until(self, probe: str, /, *, deadline_s: float) -> float:
        """Every sample due before this time is known; 0.0 before the first one."""
        seen = self._seen(probe, deadline_s=deadline_s)
        return seen.due(len(seen.codes)) if seen.codes else 0.0

    def _seen(self, probe: str, /, *, deadline_s: float) -> Classified:
        now = self._clock()
        heard = self._heard[probe]() if probe in self._heard else None
        return self._tails[probe].classified(
            deadline_s=deadline_s, now=now, heard=now if heard is None else heard
        )


class _Tail:
    """One growing file, its samples in columns by tick."""

    def __init__(self, file: Path, *, period_s: float) -> None:
        self._file = file
        self._period_s = period_s
        self._offset = 0
        self._first_due: float | None = None
        self._outcome = bytearray()
        self._latency_s = array("d")

    def read(self) -> None:
        try:
            with self._file.open("rb") as lines:
                lines.seek(self._offset)
                data = lines.read()
        except FileNotFoundError:
            return
        whole = data[: data.rfind(b"\n") + 1]
        self._offset += len(whole)
        for line in whole.splitlines():
            self._take(json.loads(line))

    def _take(self, row: dict[str, float | str]) -> None:
        tick, due, end = int(row["k"]), float(row["due"]), float(row["end"])
        if self._first_due is None:
            self._first_due = due - tick * self._period_s
        while len(self._outcome) <= tick:
            self._outcome.append(_ABSENT)
            self._latency_s.append(0.0)
        self._outcome[tick] = _CODES[str(row["o"])]
        self._latency_s[tick] = end - due

    def classified(self, *, deadline_s: float, now: float, heard: float) -> Classified:
        """Up to the first tick whose answer may still come; hanging ones are bad, those of which
        nothing can have been heard are unknown."""
        if self._first_due is None:
            return Classified(codes=b"", first_due=0.0, period_s=self._period_s)
        hanging = self._overdue(heard - deadline_s)
        overdue = max(hanging, self._overdue(now - deadline_s - LINK_S))
        codes = bytearray()
        for tick in range(max(len(self._outcome), overdue)):
            outcome = self._outcome[tick] if tick < len(self._outcome) else _ABSENT
            if outcome == _ABSENT:
                if tick >= overdue:
                    break
                codes.append(1 if tick < hanging else 2)
            elif outcome == OK:
                codes.append(self._latency_s[tick] > deadline_s)
            else:
                codes.append(outcome)
        return Classified(codes=bytes(codes), first_due=self._first_due, period_s=self._period_s)

    def _overdue(self, due: float) -> int:
        """How many ticks were due by then, and have had time to reach us."""
        assert self._first_due is not None
        return int((due - SETTLE_S - self._first_due) / self._period_s) + 1
