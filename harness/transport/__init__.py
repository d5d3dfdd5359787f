"""Running an argv on a node: ssh, local, memory; `for_cluster` gives the one that a run uses."""

from __future__ import annotations

from quorate.harness.transport.dispatch import for_cluster
from quorate.harness.transport.local import LocalTransport
from quorate.harness.transport.memory import MemoryTransport, Reply
from quorate.harness.transport.result import CommandResult, Stream, Transport
from quorate.harness.transport.ssh import SshTransport

__all__ = [
    "CommandResult",
    "LocalTransport",
    "MemoryTransport",
    "Reply",
    "SshTransport",
    "Stream",
    "Transport",
    "for_cluster",
]
