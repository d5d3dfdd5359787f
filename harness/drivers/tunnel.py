"""A conversation with a port of a pod, by way of whichever API server answers.

The proxy of an API server (``pods/<name>:<port>/proxy``) hands a request with ``Connection:
Upgrade`` on to the pod, and after the pod's 101 every byte both ways: no way to the pod's own
address is needed here, no exec, and nothing is installed.
"""

from __future__ import annotations

import contextlib
import http.client
import select
import ssl
import time

from quorate.harness.drivers.kube import Answer, KubeDriver
from quorate.harness.drivers.kube_api import KubeApi
from quorate.harness.errors import DriverError
from quorate.harness.model.cluster import Node

CONNECT_S = 3.0
SILENT_S = 5.0
"""A word that nothing follows for so long has met a way that is dead: an API server whose machine
is gone closes no connection."""

HEAD_BYTES = 16384
_READ_BYTES = 65536


class Tunnel:
    """An open one, or one that could not be opened: then it has ended, and says why. For one
    thread."""

    def __init__(self, connected: ssl.SSLSocket | None, *, why: str = "") -> None:
        self._socket = connected
        self._why = why
        self._rest = b""
        self._owed: float | None = None

    def write(self, data: bytes) -> None:
        """Nothing is raised where it has ended."""
        if self._socket is None:
            return
        self._owed = time.monotonic() if self._owed is None else self._owed
        try:
            self._socket.settimeout(CONNECT_S)
            self._socket.sendall(data)
        except OSError as error:
            self._end(str(error))

    def read_lines(self) -> list[str]:
        """The whole lines that are there; does not wait."""
        while self._socket is not None:
            try:
                self._socket.settimeout(0.0)
                chunk = self._socket.recv(_READ_BYTES)
            except (ssl.SSLWantReadError, BlockingIOError):
                break
            except OSError as error:
                self._end(str(error))
                break
            if not chunk:
                self._end("the other side has ended it")
                break
            self._owed = None
            self._rest += chunk
        *lines, self._rest = self._rest.split(b"\n")
        return [line.decode(errors="replace") for line in lines]

    def fileno(self) -> int:
        """The descriptor to wait on, while it has not ended."""
        if self._socket is None:
            raise DriverError(f"the tunnel has ended: {self._why}")
        return self._socket.fileno()

    @property
    def ended(self) -> bool:
        """Whether no line will come any more."""
        if self._socket is not None and self._is_silent(self._socket):
            self._end(f"no word for {SILENT_S:g} s")
        return self._socket is None

    def stderr_tail(self) -> str:
        """Why it has ended."""
        return self._why

    def close(self) -> None:
        """May be called twice."""
        self._end("closed")

    def _is_silent(self, connected: ssl.SSLSocket) -> bool:
        owed_s = 0.0 if self._owed is None else time.monotonic() - self._owed
        return owed_s > SILENT_S and not select.select([connected], [], [], 0.0)[0]

    def _end(self, why: str) -> None:
        self._why = self._why or why
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.close()
            self._socket = None


class PodPort:
    """One port of one pod. ``path``: of the pod in the API."""

    def __init__(self, path: str, port: int, *, kube: KubeDriver, api: KubeApi) -> None:
        self._proxy = f"{path}:{port}/proxy"
        self._kube = kube
        self._api = api
        self._first = 0

    def ask(self, path: str) -> Answer:
        """One GET. DriverError where no API server answers."""
        return self._api.ask("GET", self._proxy + path)

    def open(self, path: str) -> Tunnel:
        """A conversation through the first API server that gives one, the last good one first."""
        servers = self._kube.nodes
        said = []
        for turn in range(len(servers)):
            node = servers[(self._first + turn) % len(servers)]
            try:
                tunnel = self._through(node, self._proxy + path)
            except (OSError, http.client.HTTPException, DriverError) as error:
                said.append(f"{node.name}: {type(error).__name__}: {error}")
                continue
            self._first = servers.index(node)
            return tunnel
        return Tunnel(None, why="; ".join(said))

    def _through(self, node: Node, path: str) -> Tunnel:
        connection = self._kube.connection(node, timeout_s=CONNECT_S)
        connection.connect()
        connected = connection.sock
        try:
            asked = f"GET {path} HTTP/1.1\r\nHost: {node.name}\r\n"
            asked += "".join(f"{name}: {value}\r\n" for name, value in self._kube.headers.items())
            connected.sendall(f"{asked}Connection: Upgrade\r\nUpgrade: quorate\r\n\r\n".encode())
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                byte = connected.recv(1)  # nothing behind the head is taken
                head += byte
                if not byte or len(head) > HEAD_BYTES:
                    raise DriverError("the answer ended before its head did")
            if head.split(b" ", 2)[1] != b"101":
                raise DriverError(f"no tunnel: {head.splitlines()[0]!r}")
        except BaseException:
            connection.close()
            raise
        return Tunnel(connected)
