"""Running one child process: its output, its deadline, and its certain death.

The child leads a session of its own: a Ctrl-C in the terminal does not reach it (the run decides
what a Ctrl-C means), and killing it kills all that it started. Output goes to memory files, not
pipes: a command that leaves a daemon behind with its stdout open has still ended when it ends.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from quorate.harness.undo.in_flight import InFlight

NO_SUCH_COMMAND = 127
"""A shell's exit code for a command that is not there."""


@dataclass(frozen=True)
class Finished:
    """How a child ended; ``returncode`` None means killed at its timeout."""

    returncode: int | None
    stdout: str
    stderr: str
    elapsed_s: float


def run_child(
    argv: Sequence[str],
    *,
    timeout_s: float,
    stdin: bytes = b"",
    in_flight: InFlight | None = None,
    env: Mapping[str, str] | None = None,
) -> Finished:
    """Run argv on this machine; at the timeout (or if we are interrupted) kill its session.

    A program that is not there gives code 127, as a shell would. ``in_flight`` is held by the
    child for as long as it (or what it hands its descriptors to) lives. ``env``: its whole
    environment; None: ours.
    """
    started = time.monotonic()
    with memory_file(b"") as stdout, memory_file(b"") as stderr, memory_file(stdin) as source:
        try:
            with contextlib.ExitStack() as stack:
                held = () if in_flight is None else (stack.enter_context(in_flight.held()),)
                child = subprocess.Popen(
                    argv,
                    stdin=source,
                    stdout=stdout,
                    stderr=stderr,
                    start_new_session=True,
                    pass_fds=held,
                    env=env,
                )
        except (FileNotFoundError, PermissionError, NotADirectoryError) as error:
            said = f"{argv[0]}: {error.strerror}"
            return Finished(NO_SUCH_COMMAND, "", said, time.monotonic() - started)
        try:
            ended = wait_for_exit(child, timeout_s=timeout_s)
        finally:
            if child.returncode is None:
                kill_session(child)
        return Finished(
            child.returncode if ended else None,
            _text(stdout),
            _text(stderr),
            time.monotonic() - started,
        )


def wait_for_exit(child: subprocess.Popen[bytes], *, timeout_s: float) -> bool:
    """Wait for the child without polling; False if it still runs after ``timeout_s`` seconds."""
    descriptor = os.pidfd_open(child.pid)
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        if not poll.poll(max(0.0, timeout_s) * 1000):
            return False
    finally:
        os.close(descriptor)
    child.wait()
    return True


def kill_session(child: subprocess.Popen[bytes]) -> None:
    """SIGKILL a child that leads its session, and all of its process group; reap the child."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def memory_file(content: bytes) -> BinaryIO:
    """A nameless file in memory, positioned at its start: undo must not need a disk with room."""
    descriptor = os.memfd_create("quorate")
    file = open(descriptor, "r+b", buffering=0)  # noqa: SIM115 (closed by the caller's with)
    file.write(content)
    file.seek(0)
    return file


def _text(file: BinaryIO) -> str:
    # pread, since a child (or its leftover) shares the file position with us.
    size = os.fstat(file.fileno()).st_size
    return os.pread(file.fileno(), size, 0).decode(errors="replace")
