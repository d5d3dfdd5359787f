"""The other end of the control probe: answers over the loopback, inside the sampler itself.

When this one goes unanswered, the sampler is ill and every other outcome of that time is worth
nothing.
"""

from __future__ import annotations

import selectors
import socket

from .loop import Loop

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"

_BACKLOG = 64


class LoopbackDown(Exception):
    """127.0.0.1 cannot be reached in this network namespace."""


class ControlServer:
    """Listens on a free port of 127.0.0.1; ``port`` is known once it is made."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(_BACKLOG)
        self.port = int(self._listener.getsockname()[1])
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1.0).close()
        except OSError as error:
            raise LoopbackDown(f"127.0.0.1 does not answer ({error}): ip link set lo up") from None
        self._listener.setblocking(False)
        loop.watch(self._listener, selectors.EVENT_READ, self._accept)

    def _accept(self, events: int) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return  # it went away again, or no descriptor is left: its client will tell
        connection.setblocking(False)
        self._loop.watch(connection, selectors.EVENT_READ, lambda events: self._answer(connection))

    def _answer(self, connection: socket.socket) -> None:
        # Requests and answers are smaller than one segment: one read and one write are enough.
        try:
            if connection.recv(4096):
                connection.send(ANSWER)
        except OSError:
            pass  # the client closed first; the sample says so
        self._loop.forget(connection)
        connection.close()
