"""Nodes over the system's own ``ssh``, so that keys, agents, bastions and ``~/.ssh/config`` of the
user count, and host keys are checked as strictly as the user asked.

ssh hands one string to the login shell of the other side, always; the words are quoted with
`shlex.join`, so that a POSIX shell gives back exactly this argv. ssh ends with the command's code,
or with 255 for an error of its own (ssh(1)): 255 is taken as unreachable. Where cluster.yaml says
``ssh: {sudo: true}``, sudo comes before each command (sudo.py).
"""

from __future__ import annotations

import getpass
import shlex
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from quorate.harness.errors import (
    CommandTimeout,
    Missing,
    NodeUnreachable,
    PreflightError,
    RefusedError,
    SudoRefused,
    TransportError,
)
from quorate.harness.model.cluster import Cluster
from quorate.harness.transport.child import NO_SUCH_COMMAND, Finished, run_child
from quorate.harness.transport.result import TIMEOUT_S, CommandResult, Stream
from quorate.harness.transport.stream import ChildStream
from quorate.harness.transport.sudo import (
    CHECK_ARGV,
    behind_sudo,
    input_of,
    is_no_command,
    refusal_in,
)
from quorate.harness.undo.in_flight import InFlight
from quorate.harness.undo.sudo_password import sudo_password

SSH_FAILED = 255
_SSH = Missing("the ssh client", "apt-get install openssh-client")
CONNECT_TIMEOUT_S = 5
ALIVE_INTERVAL_S = 2
ALIVE_COUNT = 3
"""A node that is gone is noticed after ALIVE_INTERVAL_S × ALIVE_COUNT = 6 s on an open
connection: soon enough to look elsewhere, late enough for a machine under load."""


@dataclass
class _Door:
    """Whether sudo on a node has taken the password."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    is_open: bool = False
    refused: SudoRefused | None = None


class SshTransport:
    """The nodes of one cluster, each command on a connection of its own."""

    def __init__(self, cluster: Cluster, *, in_flight: InFlight | None = None) -> None:
        self._cluster = cluster
        self._in_flight = in_flight
        self._password = sudo_password() if cluster.ssh.sudo else None
        self._doors = {node.name: _Door() for node in cluster.nodes}

    def run(
        self, node: str, argv: Sequence[str], *, timeout_s: float = TIMEOUT_S, stdin: bytes = b""
    ) -> CommandResult:
        """Run argv on the node and wait; see `Transport.run`."""
        self._be_let_in(node, timeout_s=timeout_s)
        command = self.command(node, argv)
        done = run_child(
            command, timeout_s=timeout_s, stdin=self._input(stdin), in_flight=self._in_flight
        )
        return self._result(node, argv, done, pasteable=shlex.join(command), timeout_s=timeout_s)

    def _result(
        self, node: str, argv: Sequence[str], done: Finished, *, pasteable: str, timeout_s: float
    ) -> CommandResult:
        code = done.returncode
        if code is None:
            problem = f"{shlex.join(argv)} did not end within {timeout_s:g} s, killed"
            raise CommandTimeout(node, argv=argv, problem=problem, pasteable=pasteable)
        if code == SSH_FAILED:
            problem = f"unreachable over ssh: {_last_lines(done.stderr)}"
            raise NodeUnreachable(node, argv=argv, problem=problem, pasteable=pasteable)
        if code == NO_SUCH_COMMAND and done.stderr.startswith("ssh: No such file"):
            raise PreflightError([_SSH])
        if self._cluster.ssh.sudo:
            if said := refusal_in(code, done.stderr):
                user = self._cluster.ssh.user or getpass.getuser()
                raise SudoRefused(node, argv=argv, user=user, said=said, pasteable=pasteable)
            code = NO_SUCH_COMMAND if is_no_command(code, done.stderr) else code
        return CommandResult(
            node, tuple(argv), code, done.stdout, done.stderr, done.elapsed_s, pasteable
        )

    def _be_let_in(self, node: str, *, timeout_s: float) -> None:
        """Try the password by itself before it is first used on a node: a wrong one would be tried
        three times with each command, and lock the account. One that was refused is not tried
        again. SudoRefused."""
        door = self._doors.get(node)
        if self._password is None or door is None:
            return
        with door.lock:
            if door.refused is not None:
                raise door.refused
            if door.is_open:
                return
            command = self._over_ssh(node, CHECK_ARGV)
            given = f"{self._password}\n".encode()
            done = run_child(command, timeout_s=timeout_s, stdin=given)
            try:
                pasteable = shlex.join(command)
                asked = self._result(
                    node, CHECK_ARGV, done, pasteable=pasteable, timeout_s=timeout_s
                )
            except SudoRefused as error:
                door.refused = error
                raise
            asked.checked()
            door.is_open = True

    def _input(self, stdin: bytes) -> bytes:
        return stdin if self._password is None else input_of(self._password, stdin)

    def check(
        self, node: str, argv: Sequence[str], *, timeout_s: float = TIMEOUT_S, stdin: bytes = b""
    ) -> CommandResult:
        """Run argv on the node; CommandFailed unless it ended with 0."""
        return self.run(node, argv, timeout_s=timeout_s, stdin=stdin).checked()

    def stream(self, node: str, argv: Sequence[str], *, stdin: bytes = b"") -> Stream:
        """Start argv on the node; see `Transport.stream`."""
        command = self.command(node, argv)
        try:
            self._be_let_in(node, timeout_s=TIMEOUT_S)
        except TransportError as error:  # told as a connection that fails
            command = ("sh", "-c", 'echo "$1" >&2; exit 255', "ssh", str(error))
        try:
            return ChildStream(command, stdin=self._input(stdin))
        except FileNotFoundError:
            raise PreflightError([_SSH]) from None

    def command(self, node: str, argv: Sequence[str]) -> tuple[str, ...]:
        """The whole local command. RefusedError for a node that the cluster does not have."""
        if self._cluster.ssh.sudo:
            argv = behind_sudo(argv, asking=self._password is not None)
        return self._over_ssh(node, argv)

    def _over_ssh(self, node: str, argv: Sequence[str]) -> tuple[str, ...]:
        """ssh keeps the first value of an option that it is given, so the user's come before ours;
        only BatchMode is not theirs: nobody is there to be asked."""
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
