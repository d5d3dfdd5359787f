"""The machine that quorate runs on, as the node "harness"."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from quorate.harness.errors import CommandFailed, CommandTimeout, RefusedError
from quorate.harness.model.cluster import HARNESS
from quorate.harness.transport.child import NO_SUCH_COMMAND, run_child
from quorate.harness.transport.result import TIMEOUT_S, CommandResult, Stream
from quorate.harness.transport.stream import ChildStream
from quorate.harness.undo.in_flight import InFlight

Argv = Sequence[str]


class LocalTransport:
    """Runs on this machine, as this user, in this process's namespaces."""

    def __init__(
        self, *, in_flight: InFlight | None = None, spell: Callable[[Argv], Argv] = tuple
    ) -> None:
        """`spell`: what a command that is given in words of ours is on this machine."""
        self._in_flight = in_flight
        self._spell = spell

    def run(
        self, node: str, argv: Sequence[str], *, timeout_s: float = TIMEOUT_S, stdin: bytes = b""
    ) -> CommandResult:
        """Run argv here and wait; see `Transport.run`."""
        self._known(node)
        done = run_child(
            self._spell(argv), timeout_s=timeout_s, stdin=stdin, in_flight=self._in_flight
        )
        if done.returncode is None:
            raise CommandTimeout(
                node, argv=argv, problem=f"did not end within {timeout_s:g} s, killed"
            )
        return CommandResult(
            node, tuple(argv), done.returncode, done.stdout, done.stderr, done.elapsed_s
        )

    def check(
        self, node: str, argv: Sequence[str], *, timeout_s: float = TIMEOUT_S, stdin: bytes = b""
    ) -> CommandResult:
        """Run argv here; CommandFailed unless it ended with 0."""
        return self.run(node, argv, timeout_s=timeout_s, stdin=stdin).checked()

    def stream(self, node: str, argv: Sequence[str], *, stdin: bytes = b"") -> Stream:
        """Start argv here; see `Transport.stream`. CommandFailed where there is no such program."""
        self._known(node)
        try:
            return ChildStream(self._spell(argv), stdin=stdin)
        except (FileNotFoundError, PermissionError) as error:
            said = f"{argv[0]}: {error.strerror}"
            raise CommandFailed(node, argv=argv, returncode=NO_SUCH_COMMAND, stderr=said) from error

    def _known(self, node: str) -> None:
        if node != HARNESS:
            raise RefusedError(f"{node} is not this machine: only {HARNESS!r} is local")
