"""An API server that hands on to a pod's port what its proxy is asked, over TLS."""

from __future__ import annotations

import contextlib
import json
import select
import socket
import ssl
import threading
from pathlib import Path
from typing import Any

POD_DATA = 1 << 16


class ProxyingServer:
    """``port``: the pod's, here; ``pod``: what GET says of it, None for a pod that is gone."""

    def __init__(self, pki: Path, *, port: int) -> None:
        self._pod_port = port
        self.pod: dict[str, Any] | None = {"status": {"phase": "Running"}}
        self.is_cut = False
        self.is_deaf = False
        self.asked: list[str] = []
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(pki / "server.pem", pki / "server.key")
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Every connection breaks, and none is answered until `mend`."""
        self.is_cut = True
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        self.is_cut = self.is_deaf = False

    def close(self) -> None:
        self.cut()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                raw, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(raw,), daemon=True).start()

    def _serve(self, raw: socket.socket) -> None:
        with contextlib.suppress(OSError), self._tls.wrap_socket(raw, server_side=True) as client:
            self._open.append(client)
            head = b""
            while not self.is_cut and b"\r\n\r\n" not in head:
                head += client.recv(1) or b"\r\n\r\n"
            method, path = head.decode().split(" ", 2)[:2] if b" " in head else ("", "")
            self.asked.append(path)
            if not self.is_cut:
                self._answer(client, method, path, head)

    def _answer(self, client: ssl.SSLSocket, method: str, path: str, head: bytes) -> None:
        _, is_proxied, rest = path.partition("/proxy")
        if is_proxied:
            self._hand_on(client, head.replace(path.encode(), rest.encode(), 1))
            return
        status = 200 if self.pod else 404
        body = json.dumps(self.pod or {}).encode()
        client.sendall(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n" % (status, len(body)) + body)

    def _hand_on(self, client: ssl.SSLSocket, head: bytes) -> None:
        try:
            pod = socket.create_connection(("127.0.0.1", self._pod_port))
        except OSError:
            client.sendall(b"HTTP/1.1 503 X\r\nContent-Length: 2\r\n\r\nno")
            return
        with pod:
            pod.sendall(head)
            while not self.is_cut:
                ready = [client] if client.pending() else []
                ready = ready or select.select([client, pod], [], [], 0.05)[0]  # type: ignore[assignment]
                for side in ready:
                    data = side.recv(POD_DATA)
                    if not data:
                        return
                    if not self.is_deaf:
                        (pod if side is client else client).sendall(data)
