"""A transport that runs nothing: it records what it is asked and gives scripted answers.

For tests and dry runs; never evidence that a fault works.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from quorate.harness.errors import TransportError
from quorate.harness.transport.result import TIMEOUT_S, CommandResult, Stream


@dataclass(frozen=True)
class Call:
    """One thing that was asked; ``kind`` is "run" or "stream" (a check is a run)."""

    node: str
    argv: tuple[str, ...]
    stdin: bytes = b""
    kind: str = "run"


@dataclass(frozen=True)
class Reply:
    """A scripted answer; ``error``, if given, is raised instead (by `run`)."""

    stdout: str = ""
    returncode: int = 0
    stderr: str = ""
    error: TransportError | None = None
    elapsed_s: float = 0.0


@dataclass
class _Rule:
    prefix: tuple[str, ...]
    reply: Reply
    node: str | None
    left: int | None

    def fits(self, node: str, argv: tuple[str, ...]) -> bool:
        return (
            self.left != 0 and self.node in (None, node) and argv[: len(self.prefix)] == self.prefix
        )


@dataclass
class MemoryTransport:
    """Answers with the newest rule that fits; without one: code 0 and nothing said."""

    calls: list[Call] = field(default_factory=list)
    _rules: list[_Rule] = field(default_factory=list)

    def on(
        self,
        *prefix: str,
        reply: Reply,
        node: str | None = None,
        times: int | None = None,
    ) -> Self:
        """Answer commands that begin with these words, on one node or any, so often or always."""
        self._rules.append(_Rule(prefix, reply, node, times))
        return self

    def run(
        self, node: str, argv: Sequence[str], *, timeout_s: float = TIMEOUT_S, stdin: bytes = b""
    ) -> CommandResult:
        """Record the call and give the answer; see `Transport.run`."""
        reply = self._answer(Call(node, tuple(argv), stdin))
        if reply.error is not None:
            raise reply.error
        return CommandResult(
            node,
            tuple(argv),
            reply.returncode,
            reply.stdout,
            reply.stderr,
            reply.elapsed_s,
            shlex.join(argv),
        )

    def check(
        self, node: str, argv: Sequence[str], *, timeout_s: float = TIMEOUT_S, stdin: bytes = b""
    ) -> CommandResult:
        """Like `run`; CommandFailed unless the answer's code is 0."""
        return self.run(node, argv, timeout_s=timeout_s, stdin=stdin).checked()

    def stream(self, node: str, argv: Sequence[str], *, stdin: bytes = b"") -> Stream:
        """Record the call; a stream that says the answer's stdout and ends."""
        return MemoryStream(self._answer(Call(node, tuple(argv), stdin, "stream")))

    def _answer(self, call: Call) -> Reply:
        self.calls.append(call)
        for rule in reversed(self._rules):
            if rule.fits(call.node, call.argv):
                if rule.left is not None:
                    rule.left -= 1
                return rule.reply
        return Reply()


class MemoryStream:
    """The lines of a scripted answer."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self._lines = reply.stdout.splitlines()
        # Readable at once and at its end, as the stdout of a command that is over.
        self._descriptor, writing = os.pipe()
        os.close(writing)
        self._closed = False

    def __iter__(self) -> Iterator[str]:
        while not self.ended:
            yield from self.read_lines()

    def read_lines(self) -> list[str]:
        """All lines at once."""
        lines, self._lines = self._lines, []
        return lines

    def fileno(self) -> int:
        """A descriptor that is always readable."""
        return self._descriptor

    @property
    def ended(self) -> bool:
        """Whether all lines were read."""
        return not self._lines

    def poll(self) -> int | None:
        """The scripted exit code, once all lines were read."""
        return self._reply.returncode if self.ended else None

    def stderr_tail(self) -> str:
        """The scripted stderr."""
        return self._reply.stderr

    def write(self, data: bytes) -> None:
        """Nobody reads it."""

    def close_stdin(self) -> None:
        """Nothing to close."""

    def close(self) -> None:
        """Drop what was not read."""
        self._lines = []
        if not self._closed:
            self._closed = True
            os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
