"""A child process that keeps talking, read line by line; see `result.Stream`."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import subprocess
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Self

from quorate.harness.transport.child import kill_session, memory_file

_READ_BYTES = 65536
_PIPE_BYTES = 1 << 20
"""An unprivileged process may enlarge a pipe to this (pipe-max-size); a program fits in it, so
that writing it never waits for a node that does not answer."""
_TAIL_BYTES = 4096


class ChildStream:
    """A running child; its stdin stays open so that it ends when we do.

    FileNotFoundError goes through where the program is not there: its transport knows what to say.
    """

    def __init__(self, argv: Sequence[str], *, stdin: bytes) -> None:
        self._stderr = memory_file(b"")
        try:
            self._child = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._stderr,
                bufsize=0,
                start_new_session=True,
            )
        except OSError:
            self._stderr.close()
            raise
        self._rest = b""
        self._ended = False
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._stdout = self._child.stdout
        self._stdin = self._child.stdin
        with contextlib.suppress(OSError):
            fcntl.fcntl(self._stdin, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        self.write(stdin)

    def __iter__(self) -> Iterator[str]:
        while not self._ended:
            select.select([self._stdout], [], [])
            yield from self.read_lines()

    def read_lines(self) -> list[str]:
        """One read's worth of whole lines; a last line without a newline counts at the end."""
        if self._ended:
            return []
        chunk = os.read(self._stdout.fileno(), _READ_BYTES)
        if chunk:
            *lines, self._rest = (self._rest + chunk).split(b"\n")
        else:
            self._ended = True
            lines = [self._rest] if self._rest else []
        return [line.decode(errors="replace") for line in lines]

    def fileno(self) -> int:
        """The descriptor to wait on for more stdout."""
        return self._stdout.fileno()

    @property
    def ended(self) -> bool:
        """Whether stdout has ended."""
        return self._ended

    def poll(self) -> int | None:
        """The exit code, or None while it runs."""
        return self._child.poll()

    def stderr_tail(self) -> str:
        """The end of what it wrote to stderr so far; "" after `close`."""
        if self._stderr.closed:
            return ""
        descriptor = self._stderr.fileno()
        start = max(0, os.fstat(descriptor).st_size - _TAIL_BYTES)
        return os.pread(descriptor, _TAIL_BYTES, start).decode(errors="replace")

    def write(self, data: bytes) -> None:
        """Write to the child's stdin, which takes a megabyte before it waits for the child."""
        with contextlib.suppress(BrokenPipeError):  # it has ended; its stderr says why
            view = memoryview(data)
            while view:
                view = view[os.write(self._stdin.fileno(), view) :]

    def close_stdin(self) -> None:
        """Let the child's stdin end."""
        self._stdin.close()

    def close(self) -> None:
        """Kill the child's session and let go of everything; may be called twice."""
        if self._child.returncode is None:
            kill_session(self._child)
        self._ended = True
        for file in (self._stdin, self._stdout, self._stderr):
            file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
