"""A small HTTP server that answers as it is told: rightly, wrongly, late, half, or not at all."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from typing import IO

BODY = b'{"kind":"ConfigMap","apiVersion":"v1"}'
LATE_S = 0.2
WORDS = {200: "OK", 201: "Created", 302: "Found", 503: "No"}


class Answering:
    """Answers in a ``way``; ``asked`` holds whole requests: the first line, the fields, the body.

    The ways: right (200, to a POST 201), wrong status (503), redirect (302, to itself), wrong body,
    late (after LATE_S), half (and the end of the connection), silent.
    """

    def __init__(self, way: str, *, context: ssl.SSLContext | None = None) -> None:
        self.way = way
        self.asked: list[tuple[str, dict[str, str], bytes]] = []
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, raw: socket.socket) -> None:
        try:
            with raw, self._wrapped(raw) as connection, connection.makefile("rb") as stream:
                while first := stream.readline().decode():
                    self._read(first, stream)
                    self._answer(connection, first.split()[0])
                    if self.way == "half":
                        return
        except OSError:
            pass  # the sampler resets its connections at its end

    def _wrapped(self, raw: socket.socket) -> socket.socket:
        if self._context is None:
            return raw
        return self._context.wrap_socket(raw, server_side=True)

    def _read(self, first: str, stream: IO[bytes]) -> None:
        fields = {}
        while line := stream.readline().strip().decode():
            name, _, value = line.partition(": ")
            fields[name] = value
        body = stream.read(int(fields.get("Content-Length", 0)))
        self.asked.append((first, fields, body))

    def _answer(self, connection: socket.socket, method: str) -> None:
        if self.way == "silent":
            return
        if self.way == "late":
            time.sleep(LATE_S)
        status = {"wrong status": 503, "redirect": 302}.get(
            self.way, {"POST": 201}.get(method, 200)
        )
        body = b"{}" if self.way == "wrong body" else BODY
        lines = [
            f"HTTP/1.1 {status} {WORDS[status]}",
            f"Content-Length: {len(body)}",
            "Location: /",
        ]
        head = "\r\n".join([*lines, "", ""]).encode()
        connection.sendall((head + body)[: -len(body) // 2 if self.way == "half" else None])
