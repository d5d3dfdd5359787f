"""A probe of a watch: does one that is open still tell what was written?

It watches the run's registers, which other probes of this sampler write, once a second each. Tick k
asks: has this watch told everything that the API acknowledged before the tick was due? The answer
is there when the stream is open and an event (or the state that it began with) is as new as the
newest write then acknowledged; OK is what the sample's end tells, so that how old a watch may be is
a deadline like that of any other request. What a tick says else:

- A stream that stays open and tells nothing new: FAILED at the hard timeout. It is then given up
  and opened anew, as a client does that hears nothing for so long.
- One that breaks, or that the server ends: it is opened anew at once, from the version it told
  last, as clients do. Where that fails, the ticks that wait are FAILED, and the next one tries
  again.
- Nothing was acknowledged for as long as the hard timeout, and all before it was told: UNKNOWN. A
  watch of what nobody writes may be fresh or not.

That a watch has stopped shows with the next write that is acknowledged: an outage may seem to begin
later than it did, by the time between two of them.
"""

from __future__ import annotations

import json
import time
from collections import deque
from typing import Any

from .answer import Answer, AnswerReader
from .link import Broken, Link
from .probe import Probe, Shot

VERSION_PLACE = "{version}"
"""Stands in the request where the version goes that the watch is to begin at."""

ANY_VERSION = 0
"""Begins with the state as the API server's cache has it."""

GONE = 410
"""The version is so old that the API server has forgotten what came after it."""


class EventReader(AnswerReader):
    """Hands out a watch's answer as it comes: its head, then a line (one event) at a time."""

    def feed(self, data: bytes) -> list[Answer]:
        """The head, with no body, and whole events, each in an answer; raises BadAnswer."""
        self._data += data
        begins = self._head is None
        if begins and not self._read_head():
            return []
        found = [self._of_stream(b"")] if begins else []
        whole = self._body_so_far()
        *lines, rest = bytes(self._body).split(b"\n")
        self._body = bytearray(rest)
        found += [self._of_stream(line) for line in lines if line.strip()]
        if whole:
            found.append(Answer(0, b"", last=True))
        return found

    def end(self) -> Answer | None:
        """A watch has no end of its own."""
        return None

    def _of_stream(self, line: bytes) -> Answer:
        return Answer(self._head[0] if self._head else 0, line, last=False)

    def _body_so_far(self) -> bool:
        """Moves what has come into the body; whether it is whole."""
        if self._head is not None and not self._is_chunked():
            self._body += self._data
            self._data.clear()
            return False
        return self._take_chunks()


class Watch(Probe):
    """One stream, open for as long as it lasts; see above. `wrote` tells it of the writes.

    ``plan`` has one request, with VERSION_PLACE in it.
    """

    def __init__(self, plan: dict[str, Any], **rest: Any) -> None:
        super().__init__(plan, **rest)
        self._quiet_s = float(plan["hard_timeout_s"])
        self._waiting: deque[tuple[Shot, int]] = deque()
        self._link: Link | None = None
        self._open = False
        self._began = 0.0
        self._told = self._acknowledged = ANY_VERSION
        self._written_at = 0.0

    def start(self, t0_s: float) -> None:
        """As of all probes; the stream is opened by the first tick."""
        super().start(t0_s)
        self._written_at = t0_s

    def wrote(self, version: str) -> None:
        """A write of what is watched was acknowledged just now, as this version."""
        if version.isdecimal():
            self._acknowledged = max(self._acknowledged, int(version))
            self._written_at = time.monotonic()

    def _fire(self, shot: Shot) -> None:
        self._waiting.append((shot, self._acknowledged))
        if self._link is None:
            self._connect()
        self._settle()

    def _settle(self) -> None:
        """Ends the ticks that have their answer."""
        while self._open and self._waiting and self._waiting[0][1] <= self._told:
            shot, _ = self._waiting.popleft()
            shot.link = self._link
            if shot.due - self._written_at > self._quiet_s:
                self._end(shot, outcome="UNKNOWN", detail="nothing was written", link=self._link)
            else:
                self._end(shot, outcome="OK", detail="", link=self._link)

    def _connect(self) -> None:
        link = Link(
            self._loop,
            self._target,
            on_answer=self._answered,
            on_broken=self._broken,
            reader=EventReader(),
        )
        self._link, self._open, self._began = link, False, time.monotonic()
        request = self._requests[0].replace(VERSION_PLACE.encode(), str(self._told).encode())
        link.send(request)
        link.open()

    def _answered(self, link: Link, answer: Answer) -> None:
        if answer.last:
            self._broken(link, Broken("ended by the server"))
        elif answer.status == GONE:
            self._begin_anew()
        elif answer.status not in self._plan["status"]:
            self._fail(Broken(f"status {answer.status}"))
        elif not answer.body:
            self._open = True
            self._settle()
        else:
            self._event(answer.body)

    def _event(self, line: bytes) -> None:
        try:
            said = json.loads(line)
            if said["type"] == "ERROR" and said["object"].get("code") == GONE:
                self._begin_anew()
                return
            if said["type"] == "ERROR":
                self._fail(Broken(f"status {said['object'].get('code')}"))
                return
            version = int(said["object"]["metadata"]["resourceVersion"])
        except (ValueError, KeyError, TypeError, AttributeError):
            self._fail(Broken("body"))
            return
        self._told = max(self._told, version)
        self._settle()

    def _begin_anew(self) -> None:
        """What was told is forgotten there: the next stream begins with the state as it is."""
        self._told = ANY_VERSION
        self._fail(Broken(f"status {GONE}"))

    def _broken(self, link: Link, why: Broken) -> None:
        was_open, lasted_s = self._open, time.monotonic() - self._began
        self._close()
        # One that breaks as soon as it is open waits for the next tick: no storm of connections.
        if was_open and lasted_s >= self.period_s:
            self._connect()
        else:
            self._fail(why)

    def _fail(self, why: Broken) -> None:
        """No stream, and no attempt at one, until the next tick."""
        link = self._link
        self._close()
        while self._waiting:
            shot, _ = self._waiting.popleft()
            outcome = "UNKNOWN" if why.ours else "FAILED"
            self._end(shot, outcome=outcome, detail=why.reason, link=link)

    def _expire(self, shot: Shot) -> None:
        # Timers run in the order of the ticks, so this is the oldest one.
        self._waiting.popleft()
        self._end(shot, outcome="FAILED", detail="timeout", link=self._link)
        if self._began <= shot.due:  # it had as long as the tick had
            self._close()
            self._connect()

    def _close(self) -> None:
        if self._link is not None:
            self._link.close()
        self._link, self._open = None, False
