"""When a game-day may begin: a window of the day, and days on which nothing is broken.

Both are read on the clock and in the time zone of the machine that plays.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from quorate.harness.errors import UsageError

_WINDOW = re.compile(r"(\d\d:\d\d)-(\d\d:\d\d)")


@dataclass(frozen=True)
class Window:
    """From ``start`` until just before ``end``, over midnight where ``end`` is the earlier one."""

    start: time
    end: time

    def __str__(self) -> str:
        return f"{self.start:%H:%M}-{self.end:%H:%M}"

    def holds(self, now: datetime) -> bool:
        """Whether this time of the day lies within it."""
        return self.holds_time(now.time())

    def holds_time(self, moment: time) -> bool:
        """The same of a time without a day."""
        if self.start < self.end:
            return self.start <= moment < self.end
        return moment >= self.start or moment < self.end


@dataclass(frozen=True)
class Freeze:
    """From the ``first`` day to the ``last``, both included."""

    first: date
    last: date

    def __str__(self) -> str:
        return f"{self.first}..{self.last}"

    def holds(self, now: datetime) -> bool:
        """Whether this day is one of them."""
        return self.first <= now.date() <= self.last


def read_window(text: str) -> Window:
    """``22:00-04:00``. UsageError."""
    match = _WINDOW.fullmatch(text)
    try:
        start, end = (time.fromisoformat(one) for one in match.groups()) if match else (None, None)
    except ValueError:
        start = end = None
    if start is None or end is None or start == end:
        raise UsageError(f"--window: found {text!r}, allowed: two times of a day, like 22:00-04:00")
    return Window(start, end)


def read_freeze(text: str) -> Freeze:
    """``2026-12-20..2027-01-06``, or one day. UsageError."""
    first, dots, last = text.partition("..")
    try:
        found = Freeze(date.fromisoformat(first), date.fromisoformat(last if dots else first))
    except ValueError:
        found = None
    if found is None or found.last < found.first:
        raise UsageError(
            f"--freeze: found {text!r}, allowed: a day, or the first and the last of several, like "
            "2026-12-20..2027-01-06"
        )
    return found


def not_now(now: datetime, *, window: Window | None, freezes: Sequence[Freeze]) -> str:
    """Why nothing may be broken now, "" where it may."""
    for freeze in freezes:
        if freeze.holds(now):
            return f"{now:%Y-%m-%d} lies in the freeze {freeze}"
    if window is not None and not window.holds(now):
        return f"it is {now:%H:%M}, outside the window {window}"
    return ""
