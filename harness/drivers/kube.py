"""The Kubernetes API, asked directly at the API servers and never through the VIP.

http.client over TLS: no retries, a hard timeout, and an import that costs nothing (the
`kubernetes` package takes 0.7 s to import and hides refused connections by retrying).
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
import urllib.parse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

from quorate.harness.drivers.forbidden import forbidden
from quorate.harness.drivers.kubeconfig import KubeCredentials
from quorate.harness.errors import DriverError

if TYPE_CHECKING:
    from quorate.harness.model.cluster import Cluster, Node

API_SERVER_PORT = 6443
TIMEOUT_S = 1.0
CONTROL_TIMEOUT_S = 3.0
"""Of what we change or must know: a sick API server is left for the next one, and two of them
within the time that the confirmation of an undo may take (10 s a try)."""


@dataclass(frozen=True)
class Answer:
    """What an API server said."""

    status: int
    body: bytes


class Host(Protocol):
    """Where an API server runs: a Node, or as much of one as a command line tells."""

    @property
    def name(self) -> str: ...

    @property
    def address(self) -> str: ...


class ApiServer:
    """One API server over one kept connection; not for two threads at once."""

    def __init__(
        self,
        node: Host,
        *,
        tls: ssl.SSLContext,
        timeout_s: float = TIMEOUT_S,
        headers: Mapping[str, str] = MappingProxyType({}),
        port: int = API_SERVER_PORT,
    ) -> None:
        """`headers`: of each request, beside its own; a token, perhaps."""
        self.node = node
        self._port = port
        self._headers = headers
        self._tls = tls
        self._timeout_s = timeout_s
        self._connection: http.client.HTTPSConnection | None = None

    def get(self, path: str) -> Answer:
        """One GET. DriverError when there is no whole answer within the timeout."""
        return self.ask("GET", path)

    def ask(
        self, method: str, path: str, *, body: bytes | None = None, content_type: str = ""
    ) -> Answer:
        """One request. DriverError when there is no whole answer within the timeout: then nobody
        knows whether it was carried out."""
        try:
            return self._ask(method, path, body=body, content_type=content_type)
        except (OSError, http.client.HTTPException, ssl.SSLError) as error:
            self.close()
            raise DriverError(
                f"API server of {self.node.name} ({self.node.address}:{self._port}): "
                f"{type(error).__name__}: {error}"
            ) from error

    def _ask(self, method: str, path: str, *, body: bytes | None, content_type: str) -> Answer:
        if self._connection is None:
            self._connection = http.client.HTTPSConnection(
                self.node.address, self._port, timeout=self._timeout_s, context=self._tls
            )
        headers = {"Accept": "application/json", **self._headers}
        if body is not None:
            headers["Content-Type"] = content_type
        self._connection.request(method, path, body=body, headers=headers)
        answer = self._connection.getresponse()
        return Answer(answer.status, answer.read())

    def close(self) -> None:
        """Drop the connection; the next call makes a new one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class KubeDriver:
    """Questions that any healthy API server can answer, and questions to each."""

    def __init__(self, cluster: Cluster, *, credentials: KubeCredentials) -> None:
        self.nodes = cluster.control_planes
        self._tls = credentials.ssl_context()
        self.headers: Mapping[str, str] = credentials.headers
        """What a request over a `connection` must carry."""
        self._lock = threading.Lock()
        self._servers = [self.api_server(node) for node in self.nodes]

    def api_server(self, node: Node, *, timeout_s: float = TIMEOUT_S) -> ApiServer:
        """A connection of the caller's own to one API server."""
        return ApiServer(node, tls=self._tls, timeout_s=timeout_s, headers=self.headers)

    def servers(self, *, timeout_s: float = CONTROL_TIMEOUT_S) -> list[ApiServer]:
        """A new connection to each API server, for one thread; made when first asked."""
        return [self.api_server(node, timeout_s=timeout_s) for node in self.nodes]

    def connection(self, node: Node, *, timeout_s: float) -> http.client.HTTPSConnection:
        """Not connected yet, and the caller's own: for an answer that is read as it comes."""
        return http.client.HTTPSConnection(
            node.address, API_SERVER_PORT, timeout=timeout_s, context=self._tls
        )

    def get_json(self, path: str) -> Any:
        """The JSON at `path` from the first API server that answers 200, the last good one first.

        DriverError names what each of them said; Forbidden as soon as one says so.
        """
        said = []
        with self._lock:
            for server in list(self._servers):
                try:
                    answer = server.get(path)
                except DriverError as error:
                    said.append(str(error))
                    continue
                if answer.status == http.client.OK:
                    self._servers.remove(server)
                    self._servers.insert(0, server)
                    return _decoded(answer.body, path)
                if answer.status == http.client.FORBIDDEN:
                    raise forbidden("GET", path, body=answer.body)
                said.append(f"API server of {server.node.name}: {answer.status} for {path}")
        raise DriverError("no API server answers:\n  " + "\n  ".join(said))

    def nodes_ready(self) -> dict[str, bool]:
        """Node name → whether its Ready condition is True."""
        return {
            item["metadata"]["name"]: _is_ready(item["status"].get("conditions", ()))
            for item in self.get_json("/api/v1/nodes")["items"]
        }

    def node_versions(self) -> dict[str, dict[str, str]]:
        """Node name → the versions of its programs, as its kubelet reports them. DriverError."""
        items = self.get_json("/api/v1/nodes")["items"]
        try:
            return {
                item["metadata"]["name"]: {
                    "kubelet version": item["status"]["nodeInfo"]["kubeletVersion"],
                    "container runtime": item["status"]["nodeInfo"]["containerRuntimeVersion"],
                }
                for item in items
            }
        except KeyError as error:
            raise DriverError(f"/api/v1/nodes: a node without {error}") from error

    def server_version(self, node: Node) -> str:
        """The version of the API server there, as it says itself. DriverError."""
        server = self.api_server(node)
        try:
            answer = server.get("/version")
            return str(_decoded(answer.body, "/version")["gitVersion"])
        except (KeyError, TypeError) as error:
            raise DriverError(f"API server of {node.name}: /version has no gitVersion") from error
        finally:
            server.close()

    def nodes_running(self, selector: str) -> tuple[str, ...]:
        """The nodes that run a pod with these labels, in any namespace. DriverError."""
        asked = self.get_json(f"/api/v1/pods?labelSelector={urllib.parse.quote(selector)}")
        running = [
            item["spec"].get("nodeName")
            for item in asked["items"]
            if item["status"].get("phase") == "Running"
            and "deletionTimestamp" not in item["metadata"]
        ]
        return tuple(sorted({str(name) for name in running if name}))

    def is_ready(self, node: Node) -> bool:
        """Whether the node's API server says so itself, within a second."""
        server = self.api_server(node)
        try:
            return server.get("/readyz").status == http.client.OK
        except DriverError:
            return False
        finally:
            server.close()

    def port_is_dead(self, node: str) -> bool:
        """Whether nothing accepts a TCP connection at the node's API port within a second."""
        address = next(known.address for known in self.nodes if known.name == node)
        try:
            socket.create_connection((address, API_SERVER_PORT), timeout=TIMEOUT_S).close()
        except OSError:
            return True
        return False

    def close(self) -> None:
        for server in self._servers:
            server.close()


def _is_ready(conditions: Sequence[dict[str, str]]) -> bool:
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def _decoded(body: bytes, path: str) -> Any:
    try:
        return json.loads(body)
    except ValueError as error:
        raise DriverError(f"{path}: not JSON: {body[:80]!r}") from error
