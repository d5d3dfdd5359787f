"""SIGINT, SIGTERM and SIGHUP while a run is open: they end it, and its undo comes first."""

from __future__ import annotations

import signal
import threading
import time
from types import FrameType
from typing import Any

CODE = 20
"""Exit code of a SystemExit that chaoslib takes for "interrupt now, but play the rollbacks"
(chaoslib/exit.py; 30 would mean without)."""

AGAIN_S = 30.0
"""A run that has been told to end is not told again so soon: a second exception in the middle of
the first one's handling would tear a hole into it."""


class Ending(SystemExit):
    """A signal ends the run. No Exception: chaoslib 1.44 would take that for a failed activity
    and go on with the next one."""


class RunSignals:
    """Installs the handlers; `restore` puts back what was there. Main thread only, else nothing."""

    def __init__(self) -> None:
        self._before: dict[int, Any] = {}
        self._told_at: float | None = None
        self._closing = False

    def install(self) -> None:
        self._told_at, self._closing = None, False
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                self._before[number] = signal.signal(number, self._end)

    def closing(self) -> None:
        """From now on the run ends anyway: signals are taken and change nothing."""
        self._closing = True

    def restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        self._before.clear()

    def _end(self, number: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        told = self._told_at is not None and now - self._told_at < AGAIN_S
        if self._closing or told:
            return
        self._told_at = now
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        raise Ending(CODE)
