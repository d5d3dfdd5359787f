"""Follows a sampler on a node: its lines into the run's files, its clock against ours.

A thread of its own, since a link may hang. It connects, passes on what is new, and connects again
when the link is lost, until all was collected or nothing more can be.
"""

from __future__ import annotations

import json
import os
import select
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from quorate.harness.errors import ProbeError, QuorateError
from quorate.harness.sampling.clock import READINGS, ClockTrack, Reading, quickest
from quorate.harness.sampling.program.detached import LOG, SAID

CONNECT_S = 20.0
"""For the first answer over a new link: ssh and the start of Python on a busy machine."""

ANSWER_S = 5.0
PING_PERIOD_S = 1.0
RECONNECT_S = 1.0
TICK_S = 0.1


class Link(Protocol):
    """What is needed of a connection to a feed; a `transport.Stream` is one."""

    def read_lines(self) -> list[str]: ...
    def fileno(self) -> int: ...
    @property
    def ended(self) -> bool: ...
    def stderr_tail(self) -> str: ...
    def write(self, data: bytes) -> None: ...
    def close(self) -> None: ...


class Feed:
    """One node's sampler as it is heard. ``heard``: until when its files are known, seconds on our
    CLOCK_MONOTONIC; before anything was heard, 0.0."""

    def __init__(self, connect: Callable[[], Link], *, files: Mapping[str, Path]) -> None:
        """``connect`` starts the feed there; ProbeError where it never can. ``files``: name of a
        file there → ours."""
        self.clock: ClockTrack | None = None
        self.report: dict[str, Any] = {}
        self.problem = ""
        self.heard = 0.0
        self.links_lost = 0
        self._connect = connect
        self._files = dict(files)
        self._offsets: dict[str, int] = {}
        self._said: list[dict[str, Any]] = []
        self._log = ""
        self._stop = threading.Event()
        self._give_up = threading.Event()
        self._ready = threading.Condition()
        self._thread: threading.Thread | None = None
        self._stream: Link | None = None
        self._pinged_ns: tuple[int, int] = (0, 0)
        self._complete = False

    # --- on the caller's thread

    def measure(self) -> ClockTrack:
        """Open the link and compare clocks; ProbeError where there is no answer."""
        self._stream = self._connect()
        try:
            timeouts = [CONNECT_S, *([ANSWER_S] * READINGS)]
            readings = [self._ping(self._stream, timeout_s=one) for one in timeouts]
        except BaseException:
            self._stream.close()
            raise
        self.clock = ClockTrack(quickest(readings[1:]))
        return self.clock

    def follow(self) -> None:
        """Begin to pass on; the link of `measure` is used."""
        self._thread = threading.Thread(target=self._run, name="sampler on a node", daemon=True)
        self._thread.start()

    def wait_for(self, word: str, *, timeout_s: float) -> None:
        """Until the sampler has said this; ProbeError where it says an error, or nothing."""
        with self._ready:
            self._ready.wait_for(lambda: self._has_said(word, "error") or self._over, timeout_s)
            errors = [str(one["error"]) for one in self._said if "error" in one]
            if errors or not self._has_said(word):
                why = "; ".join([*errors, self.problem, self._log]).strip("; ")
                raise ProbeError(f"the sampler did not get to {word!r}: {why or 'it said nothing'}")

    def stop(self, *, timeout_s: float) -> None:
        """Tell the sampler to end, and collect what is left for so many seconds at most."""
        if self._thread is None:
            if self._stream is not None:
                self._stream.close()
            return
        self._stop.set()
        self._thread.join(timeout_s)
        self._give_up.set()
        self._thread.join()
        if not self._complete and not self.problem:
            self.problem = "the node could not be reached in time to collect the rest"

    @property
    def complete(self) -> bool:
        """Whether the sampler ended in order and everything that it wrote is here."""
        return self._complete

    # --- on the feed's own thread

    def _run(self) -> None:
        try:
            self._keep_up()
        except ProbeError as error:
            self.problem = str(error)
        except (QuorateError, OSError, ValueError, KeyError) as error:
            self.problem = f"its lines cannot be taken: {type(error).__name__}: {error}"
        with self._ready:
            self._ready.notify_all()

    def _keep_up(self) -> None:
        stream = self._stream
        while not self._over:
            if stream is None:
                stream = self._connect()
            try:
                self._follow(stream)
            finally:
                stream.close()
            stream = None
            if not self._over:
                self.links_lost += 1
                self._give_up.wait(RECONNECT_S)

    @property
    def _over(self) -> bool:
        return self._complete or bool(self.problem) or self._give_up.is_set()

    def _follow(self, stream: Link) -> None:
        """Until the link ends, or there is nothing more to come."""
        stream.write(_line({"offsets": self._offsets}))
        told = False
        while not stream.ended and not self._over:
            if select.select([stream], [], [], TICK_S)[0]:
                self._take(stream.read_lines(), stream=stream)
            if self._stop.is_set() and not told:
                told = True
                stream.write(_line({"stop": True}))
            now_ns = time.monotonic_ns()
            if now_ns - self._pinged_ns[1] > PING_PERIOD_S * 1e9:
                self._send_ping(stream, now_ns)

    def _take(self, lines: list[str], *, stream: Link) -> None:
        received_ns = time.monotonic_ns()
        for line in lines:
            message = _message(line)
            if "pong" in message and self.clock is not None:
                if message["pong"] == self._pinged_ns[0]:
                    sent_ns = self._pinged_ns[1]
                    self.clock.take(Reading.of(sent_ns, int(message["ns"]), received_ns))
            elif "file" in message:
                self._keep(str(message["file"]), str(message["text"]), int(message["next"]))
            elif "beat" in message:
                self._beat(message, stream=stream)
            elif "gone" in message:
                self.problem = "its buffer is gone: the node was started anew"

    def _keep(self, name: str, text: str, offset: int) -> None:
        if name == SAID:
            with self._ready:
                self._said += [_message(line) for line in text.splitlines()]
                self._ready.notify_all()
        elif name == LOG:
            self._log = (self._log + text)[-500:]
        elif name in self._files:
            with open(self._files[name], "a", encoding="utf-8", opener=_private) as file:
                file.write(text)
        self._offsets[name] = offset

    def _beat(self, message: Mapping[str, Any], *, stream: Link) -> None:
        assert self.clock is not None
        if message["alive"]:
            self.heard = (int(message["beat"]) - self.clock.start.offset_ns) / 1e9
        if not message["quiet"]:
            return
        reports = [one["report"] for one in self._said if "report" in one]
        if reports:
            self.report = reports[0]
            self._last_readings(stream)
            self._complete = True
        elif not message["alive"]:
            self.problem = f"the sampler has ended by itself {self._log}".strip()
            with self._ready:
                self._ready.notify_all()

    def _last_readings(self, stream: Link) -> None:
        assert self.clock is not None
        try:
            for _ in range(READINGS):
                self.clock.take(self._ping(stream, timeout_s=ANSWER_S))
        except ProbeError:
            pass  # the link was lost at the very end; the readings before it count

    # --- the clock

    def _send_ping(self, stream: Link, now_ns: int) -> None:
        self._pinged_ns = (self._pinged_ns[0] + 1, now_ns)
        stream.write(_line({"ping": self._pinged_ns[0]}))

    def _ping(self, stream: Link, *, timeout_s: float) -> Reading:
        """One question and its answer; what else is said meanwhile has been taken before."""
        self._send_ping(stream, sent_ns := time.monotonic_ns())
        give_up = time.monotonic() + timeout_s
        while (left_s := give_up - time.monotonic()) > 0 and not stream.ended:
            if not select.select([stream], [], [], left_s)[0]:
                break
            lines = stream.read_lines()
            received_ns = time.monotonic_ns()
            for message in map(_message, lines):
                if message.get("pong") == self._pinged_ns[0]:
                    return Reading.of(sent_ns, int(message["ns"]), received_ns)
        raise ProbeError(f"no answer to a question for its time: {stream.stderr_tail().strip()}")

    def _has_said(self, *words: str) -> bool:
        return any(word in one for one in self._said for word in words)


def _line(message: Mapping[str, object]) -> bytes:
    return json.dumps(message).encode() + b"\n"


def _message(line: str) -> dict[str, Any]:
    """{} for what the feed did not write: a login banner."""
    try:
        said = json.loads(line)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
