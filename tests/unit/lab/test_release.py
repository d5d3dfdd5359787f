"""Downloads: resumed, checked against the published sum, refused otherwise."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from quorate.harness.errors import LabError
from quorate.harness.lab import release

CONTENT = bytes(range(256)) * 4096
SUM = hashlib.sha256(CONTENT).hexdigest()


class Server(ThreadingHTTPServer):
    sums = f"{SUM}  part.tgz\n"
    ranges: list[str | None]
    honours_ranges = True


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        if self.path == "/sums":
            self._answer(200, self.server.sums.encode())
        elif self.path == "/part.tgz":
            wanted = self.headers.get("Range")
            self.server.ranges.append(wanted)
            if wanted and self.server.honours_ranges:
                start = int(wanted.removeprefix("bytes=").rstrip("-"))
                self._answer(206, CONTENT[start:])
            else:
                self._answer(200, CONTENT)
        else:
            self._answer(404, b"")

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server(("127.0.0.1", 0), Handler)
    made.ranges = []
    thread = threading.Thread(target=made.serve_forever)
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.fixture
def url(server: Server) -> str:
    return f"http://127.0.0.1:{server.server_address[1]}"


def _fetch(url: str, directory: Path) -> bytes:
    path = release.fetch(f"{url}/part.tgz", f"{url}/sums", directory, lambda _: None)
    return path.read_bytes()


def test_a_download_arrives_whole(url: str, tmp_path: Path) -> None:
    assert _fetch(url, tmp_path) == CONTENT


@pytest.mark.parametrize("honours_ranges", [True, False])
def test_a_broken_download_goes_on_where_it_stopped(
    server: Server, url: str, tmp_path: Path, honours_ranges: bool
) -> None:
    server.honours_ranges = honours_ranges
    (tmp_path / f"{SUM[:16]}-part.tgz.partial").write_bytes(CONTENT[:1000])
    assert _fetch(url, tmp_path) == CONTENT
    assert server.ranges == ["bytes=1000-"]


def test_what_is_there_is_not_fetched_again(server: Server, url: str, tmp_path: Path) -> None:
    _fetch(url, tmp_path)
    _fetch(url, tmp_path)
    assert len(server.ranges) == 1


def test_another_sum_than_the_published_one_is_refused_and_removed(
    server: Server, url: str, tmp_path: Path
) -> None:
    server.sums = f"{'0' * 64}  part.tgz\n"
    with pytest.raises(LabError, match="SHA-256"):
        _fetch(url, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_sum_file_without_the_file_is_an_error(server: Server, url: str, tmp_path: Path) -> None:
    server.sums = f"{SUM}  other.tgz\n{SUM}  another.tgz\n"
    with pytest.raises(LabError, match="no checksum"):
        _fetch(url, tmp_path)


def test_what_is_not_published_is_unavailable(url: str, tmp_path: Path) -> None:
    with pytest.raises(release.Unavailable, match="404"):
        release.fetch(f"{url}/absent", f"{url}/none", tmp_path, lambda _: None)


def test_a_server_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(release.Unavailable):
        release.fetch("http://127.0.0.1:9/a", "http://127.0.0.1:9/b", tmp_path, lambda _: None)
    assert not release.reachable("http://127.0.0.1:9/b")
