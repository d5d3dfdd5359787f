"""Whether a TCP port accepts, as seen from some machine: refused and silent are not the same."""

from __future__ import annotations

from typing import Literal

from quorate.harness.errors import TransportError
from quorate.harness.transport import Transport

Seen = Literal["connected", "refused", "silent", "no route"]
WAIT_S = 1.5

_CONNECT = """\
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=float(sys.argv[3])).close()
    print("connected")
except ConnectionRefusedError:
    print("refused")
except socket.timeout:
    print("silent")
except OSError:
    print("no route")
"""
_WORDS: dict[str, Seen] = {
    "connected": "connected",
    "refused": "refused",
    "silent": "silent",
    "no route": "no route",
}


class ReachDriver:
    """Asks by opening one connection, from a node or beside the harness."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def seen_from(self, node: str, *, address: str, port: int) -> Seen | None:
        """What became of a connection within WAIT_S; None when `node` cannot tell.

        "silent" is a black hole: neither accepted nor refused. "no route": nobody knows the way.
        """
        argv = ["python3", "-I", "-c", _CONNECT, address, str(port), str(WAIT_S)]
        try:
            asked = self._transport.run(node, argv, timeout_s=8.0)
        except TransportError:
            return None
        return _WORDS.get(asked.stdout.strip())
