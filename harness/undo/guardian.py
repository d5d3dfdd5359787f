"""The guardian: a process beside the harness that settles the run's journal if the harness dies.

::

    harness ──stdin pipe──▶ guardian        b"done", then EOF: released, ends at once
                                            EOF alone: the harness is gone, or has handed its
                                                       journal over; settle

The kernel closes the pipe however the harness ends. The guardian leads a session of its own, so
that a Ctrl-C or a closed terminal does not reach it, and takes no SIGINT, SIGTERM or SIGHUP. It
inherits nothing else, and writes only ``guardian.log`` in the run directory. Something that kills
the whole cgroup or machine kills it as well: ``quorate undo`` is for that.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

from quorate.harness.errors import QuorateError, RefusedError, UndoFailed
from quorate.harness.undo.durable import storing
from quorate.harness.undo.sudo_password import for_the_guardian

LOG_NAME = "guardian.log"
READY = b"ready\n"
DONE = b"done"
COMMAND = (sys.executable, "-m", "quorate.harness.run.guardian_main")
READY_TIMEOUT_S = 30.0
"""An interpreter start with its imports takes 0.5 s; a machine busy with a lab, many times that."""
RELEASE_TIMEOUT_S = 2.0
RETRY_PAUSE_S = 5.0
GIVE_UP_S = 900.0
"""Long enough for a machine to boot or for a dead man's switch to open the way to a node."""

_LOG = logging.getLogger(__name__)
_PACKAGE_ROOT = Path(__file__).absolute().parents[3]


class Guardian:
    """The harness's side: start before anything is injected, release when the journal is clean."""

    def __init__(
        self, *, command: Sequence[str] = COMMAND, ready_timeout_s: float = READY_TIMEOUT_S
    ) -> None:
        self._command = tuple(command)
        self._ready_timeout_s = ready_timeout_s
        self._child: subprocess.Popen[bytes] | None = None

    def begin(self, run_dir: Path) -> None:
        """Start it on a run directory that holds cluster.yaml, and go on meanwhile: its imports
        take about a second. StoreError if its log cannot be written."""
        if self._child is None:
            self._child = self._started(run_dir)

    def start(self, run_dir: Path) -> Self:
        """The same, unless it was begun; returns once it stands guard.

        Raises RefusedError if it does not come up (its log says why), StoreError if that log
        cannot be written.
        """
        self.begin(run_dir)
        assert self._child is not None
        if not _says_ready(self._child, timeout_s=self._ready_timeout_s):
            self._abandon()
            raise RefusedError(f"the guardian did not start; see {run_dir / LOG_NAME}")
        return self

    def _started(self, run_dir: Path) -> subprocess.Popen[bytes]:
        log = run_dir / LOG_NAME
        with storing(log):
            log_descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            return subprocess.Popen(
                [*self._command, str(run_dir.absolute())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log_descriptor,
                bufsize=0,
                start_new_session=True,
                env=_environment(),
            )
        finally:
            os.close(log_descriptor)

    @property
    def pid(self) -> int | None:
        """Its process id, or None when there is none."""
        return None if self._child is None else self._child.pid

    def alive(self) -> bool:
        """Whether it stands guard now."""
        return self._child is not None and self._child.poll() is None

    def release(self) -> None:
        """Tell it that it is not needed any more and wait for its end; may be called twice."""
        if self._child is None:
            return
        assert self._child.stdin is not None
        with contextlib.suppress(OSError):  # it is gone already
            os.write(self._child.stdin.fileno(), DONE)
        self._child.stdin.close()
        try:
            self._child.wait(RELEASE_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            _LOG.warning("the guardian %d did not end when released; killed", self._child.pid)
        self._abandon()

    def hand_over(self) -> None:
        """Let it settle what we could not: it goes on trying after our end; see `GIVE_UP_S`."""
        child, self._child = self._child, None
        if child is None:
            return
        for pipe in (child.stdin, child.stdout):
            assert pipe is not None
            pipe.close()
        child.returncode = 0  # it outlives us on purpose, so Popen need not warn of that
        _LOG.warning(
            "the guardian (process %d) goes on undoing for up to %g s; then `quorate undo`",
            child.pid,
            GIVE_UP_S,
        )

    def _abandon(self) -> None:
        assert self._child is not None
        if self._child.poll() is None:
            self._child.kill()
            self._child.wait()
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                pipe.close()
        self._child = None


def stand_guard(
    settle_all: Callable[[], object],
    *,
    give_up_s: float = GIVE_UP_S,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """The guardian's side, from its readiness to its end; returns its exit code.

    Waits on stdin; if the harness goes (or hands over) without releasing it, calls ``settle_all``
    until that no longer raises one of our errors, for up to ``give_up_s`` seconds; 4 if it never
    succeeds.
    """
    _turn_deaf()
    _announce()
    if _was_released():
        _LOG.info("released")
        return 0
    _LOG.warning("the harness is gone or has handed over; settling its journal")
    deadline = clock() + give_up_s
    while True:
        try:
            settle_all()
        except QuorateError as error:
            _LOG.error("%s", error)
        else:
            _LOG.info("settled; nothing of this run is left on")
            return 0
        if clock() >= deadline:
            _LOG.error("giving up; `quorate undo` takes it from here")
            return UndoFailed.exit_code
        sleep(RETRY_PAUSE_S)


def _environment() -> dict[str, str]:
    """Ours, with the place this package came from, however our own sys.path was made."""
    inherited = os.environ.get("PYTHONPATH")
    path = f"{inherited}{os.pathsep}{_PACKAGE_ROOT}" if inherited else str(_PACKAGE_ROOT)
    given = for_the_guardian()  # first: it takes the password out of ours
    return {**os.environ, "PYTHONPATH": path, **given}


def _says_ready(child: subprocess.Popen[bytes], *, timeout_s: float) -> bool:
    assert child.stdout is not None
    readable, _, _ = select.select([child.stdout], [], [], timeout_s)
    return bool(readable) and os.read(child.stdout.fileno(), len(READY)) == READY


def _turn_deaf() -> None:
    # Handlers that do nothing, not SIG_IGN: that would be inherited by the commands we run, and
    # by a machine's init that a power switch starts.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: None)


def _announce() -> None:
    """Say that we stand guard, then keep nothing of the harness open but stdin."""
    with contextlib.suppress(BrokenPipeError):  # it died meanwhile; stdin will say so
        os.write(1, READY)
    os.dup2(2, 1)


def _was_released() -> bool:
    """Read stdin to its end; whether the harness said that it is done."""
    said = b""
    while chunk := os.read(0, 64):
        said += chunk
    return said.startswith(DONE)
