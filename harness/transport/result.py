"""What every transport offers, and what a command leaves behind.

An argv is a list of words for one program; nothing here is ever a shell string built from data.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from quorate.harness.errors import CommandFailed

TIMEOUT_S = 20.0
"""What a control command may take unless its caller knows better: far above any that is healthy,
so that only a hung one is killed."""


@dataclass(frozen=True)
class CommandResult:
    """A command that ended: where, what, how, and what it said (UTF-8, bad bytes replaced).

    ``elapsed_s`` is wall time on this side, connection included; ``pasteable`` is the whole local
    command as one shell line for people.
    """

    node: str
    argv: tuple[str, ...]
    returncode: int
    stdout: str
    stderr: str
    elapsed_s: float
    pasteable: str = ""

    def checked(self) -> CommandResult:
        """Itself, if it ended with 0; else CommandFailed is raised."""
        if self.returncode != 0:
            raise CommandFailed(
                self.node,
                argv=self.argv,
                returncode=self.returncode,
                stderr=self.stderr,
                pasteable=self.pasteable,
            )
        return self


class Stream(Protocol):
    """A command that keeps talking; a context manager that ends it, whatever it does.

    Its stdin stays open until `close_stdin` or `close`, so a program on a node can end when its
    stdin does: the connection is gone then, and nobody listens.
    """

    def __iter__(self) -> Iterator[str]:
        """Lines of stdout without their newline, as they come; ends when the command's stdout
        does. Blocks; for use with selectors, poll `fileno` and call `read_lines`."""

    def read_lines(self) -> list[str]:
        """The whole lines that are there after one read that blocks only if `fileno` is not
        readable. Empty if there is none yet, or when stdout has ended (see `ended`)."""

    def fileno(self) -> int:
        """The descriptor to wait on for more stdout."""

    @property
    def ended(self) -> bool:
        """Whether stdout has ended: no line will come any more."""

    def poll(self) -> int | None:
        """The exit code, or None while it runs."""

    def stderr_tail(self) -> str:
        """The end of what it wrote to stderr so far."""

    def write(self, data: bytes) -> None:
        """Write to the command's stdin. Nothing is raised where it has ended: stdout tells."""

    def close_stdin(self) -> None:
        """Let the command's stdin end."""

    def close(self) -> None:
        """End it now, and everything it started on this side; may be called twice."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class Transport(Protocol):
    """Runs commands on nodes. Every method may be called from several threads at once."""

    def run(
        self,
        node: str,
        argv: Sequence[str],
        *,
        timeout_s: float = TIMEOUT_S,
        stdin: bytes = b"",
    ) -> CommandResult:
        """Run argv on the node and wait; never raises on an exit code other than 0.

        Raises NodeUnreachable, CommandTimeout (after killing it and all it started on this side),
        RefusedError for a node that does not exist.
        """

    def check(
        self,
        node: str,
        argv: Sequence[str],
        *,
        timeout_s: float = TIMEOUT_S,
        stdin: bytes = b"",
    ) -> CommandResult:
        """Like `run`; raises CommandFailed too, on an exit code other than 0."""

    def stream(self, node: str, argv: Sequence[str], *, stdin: bytes = b"") -> Stream:
        """Start argv on the node, write ``stdin`` to it, and return while it runs.

        Raises RefusedError for a node that does not exist; a connection that fails shows as a
        stream that ends, with the reason in `stderr_tail`.
        """
