"""List and watch against a server on the loopback that does what API servers do, and worse."""

from __future__ import annotations

import http.client
import http.server
import json
import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, cast

import pytest

from quorate.harness.drivers import watching
from quorate.harness.drivers.kube import KubeDriver
from quorate.harness.drivers.watched import Noticed, Resource, node_of
from quorate.harness.drivers.watching import ObjectsFollower
from quorate.harness.errors import DriverError
from quorate.harness.model.cluster import Cluster

WAIT_S = 5.0
NODES = Resource("nodes", "/api/v1/nodes", node_of)


def node(version: int) -> dict[str, Any]:
    return {"metadata": {"name": "w1", "uid": "u1", "resourceVersion": str(version)}}


def event(kind: str, version: int) -> bytes:
    return json.dumps({"type": kind, "object": node(version)}).encode() + b"\n"


EXPIRED = json.dumps({"type": "ERROR", "object": {"code": 410}}).encode() + b"\n"


class Server:
    """`watches`: for each watch in turn, its lines, and whether it is then ended in order."""

    def __init__(self, *watches: tuple[list[bytes], bool]) -> None:
        self.asked: list[str] = []
        self.done = threading.Event()
        left, outer = list(watches), self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                assert self.headers["Authorization"] == "Bearer tok"
                outer.asked.append(self.path)
                self.send_response(200)
                if "watch=1" not in self.path:
                    found = {"metadata": {"resourceVersion": "10"}, "items": [node(9)]}
                    body = json.dumps(found).encode()
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                    return
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                lines, in_order = left.pop(0) if left else ([], False)
                for line in lines:
                    self.wfile.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")
                if in_order:
                    self.wfile.write(b"0\r\n\r\n")
                else:
                    outer.done.wait(WAIT_S)
                    self.close_connection = True

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(
            target=self.http.serve_forever, kwargs={"poll_interval": 0.05}
        )
        self.thread.start()

    headers: ClassVar[dict[str, str]] = {"Authorization": "Bearer tok"}

    def connection(self, node: object, *, timeout_s: float) -> http.client.HTTPConnection:
        host, port = cast("tuple[str, int]", self.http.server_address)
        return http.client.HTTPConnection(host, port, timeout=timeout_s)

    def close(self) -> None:
        self.done.set()
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()


Follow = Callable[..., tuple[Server, "queue.SimpleQueue[Noticed]", ObjectsFollower]]


@pytest.fixture
def follow(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[Follow]:
    monkeypatch.setattr(watching, "RETRY_S", 0.001)
    started: list[tuple[Server, ObjectsFollower]] = []

    def begin(*watches: tuple[list[bytes], bool]) -> Any:
        server, sink = Server(*watches), queue.SimpleQueue[Any]()
        kube = cast(KubeDriver, server)
        follower = ObjectsFollower(cluster.nodes[0], resource=NODES, kube=kube, sink=sink)
        started.append((server, follower))
        follower.start()
        return server, sink, follower

    yield begin
    for server, follower in started:
        follower.stop()
        follower.join(WAIT_S)
        server.close()


def said(sink: queue.SimpleQueue[Noticed], count: int) -> list[tuple[str, list[int]]]:
    found = [sink.get(timeout=WAIT_S) for _ in range(count)]
    return [(one.kind, [thing.version for thing in one.things]) for one in found]


def test_it_lists_then_tells_of_every_change(follow: Follow) -> None:
    lines = [event("MODIFIED", 11), event("BOOKMARK", 20), event("DELETED", 21)]
    _, sink, _ = follow((lines, False))
    assert said(sink, 4) == [("listed", [9]), ("opened", []), ("changed", [11]), ("deleted", [21])]


def test_a_watch_that_ends_in_order_goes_on_where_it_was(follow: Follow) -> None:
    first, second = [event("BOOKMARK", 33)], [event("MODIFIED", 34)]
    server, sink, _ = follow((first, True), (second, False))
    assert said(sink, 3) == [("listed", [9]), ("opened", []), ("changed", [34])]
    assert [path.partition("resourceVersion=")[2] for path in server.asked] == ["", "10", "33"]


def test_an_expired_version_is_listed_anew(follow: Follow) -> None:
    _, sink, _ = follow(([EXPIRED], False), ([event("MODIFIED", 12)], False))
    kinds = [kind for kind, _ in said(sink, 6)]
    assert kinds == ["listed", "opened", "lost", "listed", "opened", "changed"]


def test_silence_is_not_waited_out_for_ever(
    follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "SILENT_S", 0.1)
    _, sink, _ = follow(([event("MODIFIED", 11)], False))
    words = [sink.get(timeout=WAIT_S) for _ in range(4)]
    assert [one.kind for one in words] == ["listed", "opened", "changed", "lost"]
    assert words[2].t_ns - 50_000_000 <= words[3].until_ns <= words[2].t_ns, (
        "what it had told until"
    )
    assert words[3].t_ns - words[3].until_ns >= 100_000_000


def test_one_who_may_not_list_is_told(follow: Follow, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(status: int) -> None:
        raise DriverError("status 403")

    monkeypatch.setattr(watching, "_demand_ok", forbidden)
    _, sink, _ = follow()
    word = sink.get(timeout=WAIT_S)
    assert (word.kind, word.until_ns) == ("lost", 0)


@pytest.mark.parametrize("line", [b"{\n", b"[]\n", b'{"type": "MODIFIED", "object": {}}\n'])
def test_what_cannot_be_read_ends_it(follow: Follow, line: bytes) -> None:
    _, sink, _ = follow(([line], False))
    assert [kind for kind, _ in said(sink, 4)] == ["listed", "opened", "lost", "listed"]


def test_it_is_stopped_in_the_middle_of_a_watch(follow: Follow) -> None:
    _, sink, follower = follow(([event("MODIFIED", 11)], False))
    said(sink, 3)
    start = time.monotonic()
    follower.stop()
    follower.join(WAIT_S)
    assert time.monotonic() - start < 1.0
    assert sink.empty(), "what is ended on purpose is not lost"
