"""The one transport that a run uses: this machine for "harness", ssh for every other node."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from quorate.harness.model.cluster import HARNESS, Cluster
from quorate.harness.transport.local import LocalTransport
from quorate.harness.transport.own import spelled
from quorate.harness.transport.result import TIMEOUT_S, CommandResult, Stream, Transport
from quorate.harness.transport.ssh import SshTransport
from quorate.harness.undo.in_flight import InFlight


class DispatchTransport:
    """Sends "harness" one way and the cluster's nodes another."""

    def __init__(self, *, local: Transport, remote: Transport) -> None:
        self._local = local
        self._remote = remote

    def run(
        self, node: str, argv: Sequence[str], *, timeout_s: float = TIMEOUT_S, stdin: bytes = b""
    ) -> CommandResult:
        """See `Transport.run`."""
        return self._to(node).run(node, argv, timeout_s=timeout_s, stdin=stdin)

    def check(
        self, node: str, argv: Sequence[str], *, timeout_s: float = TIMEOUT_S, stdin: bytes = b""
    ) -> CommandResult:
        """See `Transport.check`."""
        return self._to(node).check(node, argv, timeout_s=timeout_s, stdin=stdin)

    def stream(self, node: str, argv: Sequence[str], *, stdin: bytes = b"") -> Stream:
        """See `Transport.stream`."""
        return self._to(node).stream(node, argv, stdin=stdin)

    def _to(self, node: str) -> Transport:
        return self._local if node == HARNESS else self._remote


def for_cluster(cluster: Cluster, *, in_flight: InFlight | None = None) -> Transport:
    """The transport of a run on the cluster.

    ``in_flight`` (``InFlight(run_dir)``) lets whoever settles the run's journal wait for commands
    that outlived a killed harness; give it wherever the transport may change anything.
    """
    return DispatchTransport(
        local=LocalTransport(in_flight=in_flight, spell=partial(spelled, cluster=cluster)),
        remote=SshTransport(cluster, in_flight=in_flight),
    )
