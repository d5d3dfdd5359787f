"""Telling a person what a run does now. The run says; who listens decides how it looks."""

from __future__ import annotations

import contextlib
import logging
import sys
import time
from collections.abc import Callable
from typing import Protocol, TextIO


class Progress(Protocol):
    """What a run tells."""

    def say(self, text: str) -> None:
        """Something happened; worth a line of its own."""
        ...

    def status(self, text: str) -> None:
        """What is so now; replaces the status before it."""
        ...


class LoggedProgress:
    """Into the engine's own log, which `chaos run` shows."""

    def __init__(self) -> None:
        self._log = logging.getLogger("chaostoolkit")

    def say(self, text: str) -> None:
        self._log.info("quorate: %s", text)

    def status(self, text: str) -> None:
        """Nothing: a log is no place for what changes twice a second."""


class TextProgress:
    """Lines with the seconds since the start; on a terminal the status rewrites its line.

    Elsewhere (a CI log) the status is a line of its own every `quiet_s` seconds.
    """

    def __init__(
        self,
        stream: TextIO | None = None,
        *,
        quiet_s: float = 5.0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream = stream or sys.stderr
        self._live = self._stream.isatty()
        self._quiet_s = quiet_s
        self._now = now
        self._start = now()
        self._status_at = -1e9
        self._shown = 0

    def say(self, text: str) -> None:
        self._wipe()
        self._line(text)
        self._status_at = self._now()

    def status(self, text: str) -> None:
        now = self._now()
        if now - self._status_at < (0.5 if self._live else self._quiet_s):
            return
        self._status_at = now
        if not self._live:
            self._line(text)
            return
        line = f"{self._stamp()}  {text}"[:100]
        self._write("\r" + line.ljust(self._shown))
        self._shown = len(line)

    def _wipe(self) -> None:
        if self._shown:
            self._write("\r" + " " * self._shown + "\r")
            self._shown = 0

    def _line(self, text: str) -> None:
        first, *more = text.splitlines() or [""]
        lines = [f"{self._stamp()}  {first}\n", *(f"{'':9}  {line}\n" for line in more)]
        self._write("".join(lines))

    def _write(self, text: str) -> None:
        # A terminal that is gone, or a closed pipe, is no reason to leave a fault on.
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text)
            self._stream.flush()

    def _stamp(self) -> str:
        return f"{self._now() - self._start:7.1f} s"


class Numbered:
    """Another progress whose status line says first which of several runs this is."""

    def __init__(self, progress: Progress, which: str) -> None:
        self._progress = progress
        self._which = which

    def say(self, text: str) -> None:
        self._progress.say(text)

    def status(self, text: str) -> None:
        self._progress.status(f"{self._which} · {text}")
