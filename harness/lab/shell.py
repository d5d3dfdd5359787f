"""Commands on the host, and progress while they run. The only subprocess calls of the lab."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from quorate.harness.errors import LabError

HEARTBEAT_S = 15.0


def run(
    argv: Sequence[str],
    *,
    timeout_s: float = 120.0,
    stdin: str = "",
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> str:
    """Run a command of the host and return its standard output.

    Raises:
        LabError: it could not start, took longer than ``timeout_s`` or ended with another status
            than 0; the message holds the end of what it printed.
    """
    try:
        done = subprocess.run(
            argv, input=stdin, capture_output=True, text=True, timeout=timeout_s, cwd=cwd,
            env={**os.environ, **(env or {})}, check=False,
        )  # fmt: skip
    except FileNotFoundError as error:
        raise LabError(f"{argv[0]} is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise LabError(f"{' '.join(argv)} took longer than {timeout_s:g} s") from error
    if done.returncode != 0:
        tail = "\n".join((done.stderr or done.stdout).strip().splitlines()[-15:])
        raise LabError(f"{' '.join(argv)} ended with status {done.returncode}:\n{tail}")
    return done.stdout


def succeeds(argv: Sequence[str], *, timeout_s: float = 20.0) -> bool:
    """Whether a command ends with status 0; what it prints is thrown away."""
    try:
        run(argv, timeout_s=timeout_s)
    except LabError:
        return False
    return True


class Progress:
    """Steps with their duration on standard error; a heartbeat while one takes long."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._lock = threading.Lock()
        self.durations_s: dict[str, float] = {}

    def say(self, text: str) -> None:
        with self._lock:
            print(f"[{time.monotonic() - self._start:6.1f} s] {text}", file=sys.stderr, flush=True)

    @contextlib.contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Announce a step, keep saying that it runs, and say how long it took."""
        begun = time.monotonic()
        self.say(f"{text} …")
        over = threading.Event()

        def beat() -> None:
            while not over.wait(HEARTBEAT_S):
                self.say(f"  still: {text} ({time.monotonic() - begun:.0f} s)")

        thread = threading.Thread(target=beat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
        self.durations_s[text] = time.monotonic() - begun
        self.say(f"{text}: {self.durations_s[text]:.1f} s")


def await_true(
    what: str, question: Callable[[], bool], *, timeout_s: float, interval_s: float = 0.2
) -> None:
    """Ask until the answer is true.

    Raises:
        LabError: still false after ``timeout_s``.
    """
    deadline = time.monotonic() + timeout_s
    while not question():
        if time.monotonic() > deadline:
            raise LabError(f"{what}: not within {timeout_s:g} s")
        time.sleep(interval_s)
