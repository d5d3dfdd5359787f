"""Which commands of a run are still running, seen from any process.

A harness that is killed leaves its children behind: a power-off that takes ten seconds goes on,
and an undo that starts meanwhile would be overtaken by the act. So each command that may change
something inherits a descriptor with a shared flock on one file of the run directory; whoever
settles waits until nobody holds it. The kernel drops it when the command ends, however it ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from quorate.harness.undo.durable import storing

IN_FLIGHT_NAME = "in_flight.lock"
IN_FLIGHT_WAIT_S = 60.0
"""Longer than any act should take (a power switch: about 10 s); a command stuck for longer is
overtaken on purpose, since waiting for ever would leave the fault on."""
_POLL_S = 0.1


class InFlight:
    """The commands in flight of the run in ``run_dir``."""

    def __init__(self, run_dir: Path) -> None:
        self.path = run_dir / IN_FLIGHT_NAME

    @contextlib.contextmanager
    def held(self) -> Iterator[int]:
        """A descriptor to pass to one child; close ours right after it was started.

        Raises StoreError where the file cannot be made.
        """
        with storing(self.path):
            # Not for writing: where the file is there already, an undo needs no disk that can be
            # written (one remounted read-only).
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CREAT, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_SH)
            except OSError:
                os.close(descriptor)
                raise
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def is_free(self) -> bool:
        """Whether no command is running now. Raises StoreError."""
        with storing(self.path):
            try:
                descriptor = os.open(self.path, os.O_RDONLY)
            except FileNotFoundError:
                return True
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            finally:
                os.close(descriptor)
        return True

    def wait(
        self,
        timeout_s: float = IN_FLIGHT_WAIT_S,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> bool:
        """Wait until no command is running; False if one still is after ``timeout_s`` seconds."""
        deadline = clock() + timeout_s
        while not self.is_free():
            if clock() >= deadline:
                return False
            sleep(_POLL_S)
        return True
