"""Nodes over the system's own ``ssh``, so that keys, agents, bastions and ``~/.ssh/config`` of the
user count, and host keys are checked as strictly as the user asked.

ssh hands one string to the login shell of the other side, always; the words are quoted with
`shlex.join`, so that a POSIX shell gives back exactly this argv. ssh ends with the command's code,
or with 255 for an error of its own (ssh(1)): 255 is taken as unreachable.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from quorate.harness.errors import (
    CommandTimeout,
    Missing,
    NodeUnreachable,
    PreflightError,
    RefusedError,
)
from quorate.harness.model.cluster import Cluster
from quorate.harness.transport.child import NO_SUCH_COMMAND, run_child
from quorate.harness.transport.result import TIMEOUT_S, CommandResult, Stream
from quorate.harness.transport.stream import ChildStream
from quorate.harness.undo.in_flight import InFlight

SSH_FAILED = 255
_SSH = Missing("the ssh client", "apt-get install openssh-client")
CONNECT_TIMEOUT_S = 5
ALIVE_INTERVAL_S = 2
ALIVE_COUNT = 3
"""A node that is gone is noticed after ALIVE_INTERVAL_S × ALIVE_COUNT = 6 s on an open
connection: soon enough to look elsewhere, late enough for a machine under load."""


class SshTransport:
    """The nodes of one cluster, each command on a connection of its own."""

    def __init__(self, cluster: Cluster, *, in_flight: InFlight | None = None) -> None:
        self._cluster = cluster
        self._in_flight = in_flight

    def run(
        self, node: str, argv: Sequence[str], *, timeout_s: float = TIMEOUT_S, stdin: bytes = b""
    ) -> CommandResult:
        """Run argv on the node and wait; see `Transport.run`."""
        command = self.command(node, argv)
        pasteable = shlex.join(command)
        done = run_child(command, timeout_s=timeout_s, stdin=stdin, in_flight=self._in_flight)
        if done.returncode is None:
            problem = f"{shlex.join(argv)} did not end within {timeout_s:g} s, killed"
            raise CommandTimeout(node, argv=argv, problem=problem, pasteable=pasteable)
        if done.returncode == SSH_FAILED:
            problem = f"unreachable over ssh: {_last_lines(done.stderr)}"
            raise NodeUnreachable(node, argv=argv, problem=problem, pasteable=pasteable)
        if done.returncode == NO_SUCH_COMMAND and done.stderr.startswith("ssh: No such file"):
            raise PreflightError([_SSH])
        return CommandResult(
            node, tuple(argv), done.returncode, done.stdout, done.stderr, done.elapsed_s, pasteable
        )

    def check(
        self, node: str, argv: Sequence[str], *, timeout_s: float = TIMEOUT_S, stdin: bytes = b""
    ) -> CommandResult:
        """Run argv on the node; CommandFailed unless it ended with 0."""
        return self.run(node, argv, timeout_s=timeout_s, stdin=stdin).checked()

    def stream(self, node: str, argv: Sequence[str], *, stdin: bytes = b"") -> Stream:
        """Start argv on the node; see `Transport.stream`."""
        try:
            return ChildStream(self.command(node, argv), stdin=stdin)
        except FileNotFoundError:
            raise PreflightError([_SSH]) from None

    def command(self, node: str, argv: Sequence[str]) -> tuple[str, ...]:
        """The whole local command. ssh keeps the first value of an option that it is given, so the
        user's come before ours; only BatchMode is not theirs: nobody is there to be asked.

        Raises RefusedError for a node that the cluster does not have.
        """
        try:
            address = self._cluster.node(node).address
        except KeyError:
            names = ", ".join(known.name for known in self._cluster.nodes)
            raise RefusedError(
                f"cluster {self._cluster.name} has no node {node!r}; it has: {names}"
            ) from None
        ssh = self._cluster.ssh
        return (
            *("ssh", "-T", "-o", "BatchMode=yes"),
            *ssh.options,
            *("-o", f"ConnectTimeout={CONNECT_TIMEOUT_S}"),
            *("-o", f"ServerAliveInterval={ALIVE_INTERVAL_S}"),
            *("-o", f"ServerAliveCountMax={ALIVE_COUNT}"),
            # A shared connection would be a dead one after the power-off that we are here for.
            *("-o", "ControlPath=none"),
            *(("-l", ssh.user) if ssh.user else ()),
            *(("-p", str(ssh.port)) if ssh.port else ()),
            *("--", address, shlex.join(argv)),
        )


def _last_lines(text: str, count: int = 3) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return "; ".join(lines[-count:]) or "no reason given"
