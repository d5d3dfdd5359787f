"""The sampler's watch against an API server in this process that tells rightly, wrongly, late, half
of it, or nothing: the samples say which."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from quorate.harness.model.probe_plan import VERSION_PLACE, ProbePlan
from quorate.harness.model.register import Register
from quorate.harness.model.timeline import FAILED, OK, UNKNOWN, SampleSeries
from quorate.harness.sampling.program import watches
from quorate.harness.sampling.sampler import Sampler
from quorate.harness.store.run_directory import RunDirectory
from quorate.probes.api_watch import watch_path
from tests.contract.engine.fake.objects import ConfigMaps

FOLDER = "/api/v1/namespaces/kube-system/configmaps"
META = {"name": "quorate-1", "namespace": "kube-system", "labels": {"quorate/mark": "m"}}
REGISTER = Register(
    "1",
    "writes",
    f"{FOLDER}/quorate-1",
    {"apiVersion": "v1", "kind": "ConfigMap", "metadata": META},
    "x.1.",
)
RATE_HZ = 25.0
TIMEOUT_S = 0.5
LATE_S = 0.2


class Api(ThreadingHTTPServer):
    """Keeps one register; ``told`` is every state that it had, which watches tell.

    ``way``: right, late (each event after LATE_S), half (of each event), wrong (no JSON), silent
    (streams stay open), cut (streams end), refused (and none is opened: 503), gone (410). ``deaf``:
    writes are answered with 500.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.kept = ConfigMaps()
        self.way = "right"
        self.deaf = False
        self.told: list[dict[str, Any]] = []
        self.asked_from: list[str] = []
        self.make()

    def make(self) -> None:
        given = {**REGISTER.body, "data": {"value": REGISTER.initial}}
        answer = self.kept.answer("POST", FOLDER, json.dumps(given).encode())
        assert answer is not None
        self.told.append(json.loads(answer[1]))

    def handle_error(self, request: object, client_address: object) -> None:
        """The sampler resets its connections at its end."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Api

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        if "watch" in query:
            assert query["labelSelector"] == ["quorate/mark=m"]
            self._watch(query["resourceVersion"][0])
        else:
            self._say(*(self.server.kept.answer("GET", self.path, b"") or (500, b"")))

    def do_PUT(self) -> None:
        given = self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.deaf:
            self._say(500, b"{}")
            return
        status, body = self.server.kept.answer("PUT", self.path, given) or (500, b"")
        if status == 200:
            self.server.told.append(json.loads(body))
        self._say(status, body)

    def _watch(self, version: str) -> None:
        self.server.asked_from.append(version)
        if self.server.way == "refused":
            self._say(503, b"{}")
            return
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if self.server.way == "gone" and version != "0":
            error = {"type": "ERROR", "object": {"kind": "Status", "code": 410}}
            self._chunk(json.dumps(error).encode() + b"\n")
        number = len(self.server.told) - 1 if version == "0" else self._after(version)
        while self.server.way not in ("cut", "refused"):
            if self.server.way == "gone" and version != "0":
                break
            if number < len(self.server.told) and self.server.way != "silent":
                self._tell(self.server.told[number])
                number += 1
            time.sleep(0.002)
        self.wfile.write(b"0\r\n\r\n")
        self.close_connection = True

    def _after(self, version: str) -> int:
        versions = [one["metadata"]["resourceVersion"] for one in self.server.told]
        return versions.index(version) + 1

    def _tell(self, state: dict[str, Any]) -> None:
        line = json.dumps({"type": "MODIFIED", "object": state}).encode() + b"\n"
        if self.server.way == "late":
            time.sleep(LATE_S)
        if self.server.way == "half":
            line = line[: len(line) // 2]
        if self.server.way == "wrong":
            line = b'{"type": "MODIFIED", "object": {}}\n'
        self._chunk(line)

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def _say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def api() -> Iterator[Api]:
    with Api() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.way = "cut"
        server.shutdown()
        thread.join()


Watched = Callable[..., SampleSeries]


@pytest.fixture
def watched(run: RunDirectory, api: Api) -> Watched:
    """The watch's samples: 0.4 s of an API that is right, then ``meanwhile``, each step a way (or a
    word of the test's own) and how long."""

    def sample(*meanwhile: tuple[str, float]) -> SampleSeries:
        plan: dict[str, Any] = {"host": "127.0.0.1", "port": api.server_port}
        plan |= {"connection": "reused", "hard_timeout_s": TIMEOUT_S}
        writing = ProbePlan(**plan, path="", rate_hz=50, registers=(REGISTER,), writes=True)
        watching = ProbePlan(**plan, path=watch_path(REGISTER), rate_hz=RATE_HZ, watches=True)
        with Sampler(run, {"writes": writing, "watch": watching}):
            for way, length_s in (("right", 0.4), *meanwhile):
                api.deaf = way == "deaf"
                api.way = "right" if api.deaf else way
                time.sleep(length_s)
        return run.timeline().series["watch"]

    return sample


def details(series: SampleSeries, outcome: int) -> set[str]:
    return {
        series.texts[detail]
        for detail, found in zip(series.detail, series.outcome, strict=True)
        if found == outcome
    }


def took_s(series: SampleSeries, *, since: int = 0) -> list[float]:
    every = zip(series.due, series.end, series.outcome, strict=True)
    return [end - due for due, end, outcome in every if outcome == OK][since:]


def test_a_watch_that_tells_all_is_ok(api: Api, watched: Watched) -> None:
    series = watched()
    assert series.outcome.count(OK) >= 8
    assert details(series, FAILED) == set()
    assert max(took_s(series)) < LATE_S
    assert api.asked_from == ["0"], "one stream for all"


def test_what_is_told_late_is_ok_that_late(watched: Watched) -> None:
    """So that it is the deadline that says whether it was too late."""
    series = watched(("late", 0.6))
    assert max(took_s(series)) > LATE_S * 0.75


@pytest.mark.parametrize("way", ["silent", "half"])
def test_a_stale_stream_that_stays_open_fails_until_it_tells_again(
    api: Api, watched: Watched, way: str
) -> None:
    series = watched((way, 0.8), ("right", 0.5))
    garbled = {"body"} if way == "half" else set()  # the rest of a line that began as another
    assert {"timeout"} <= details(series, FAILED) <= {"timeout"} | garbled
    lost = series.outcome.count(FAILED)
    assert 0.2 * RATE_HZ <= lost <= 1.0 * RATE_HZ
    assert series.outcome[-1] == OK
    assert len(api.asked_from) >= 2, "it was given up, and opened anew"
    assert api.asked_from[1] != "0", "from where it was"


def test_no_event_is_a_bad_answer(watched: Watched) -> None:
    series = watched(("wrong", 0.3), ("right", 0.4))
    assert "body" in details(series, FAILED)
    assert series.outcome[-1] == OK


def test_a_stream_that_ends_is_opened_anew_at_once(api: Api, watched: Watched) -> None:
    series = watched(("cut", 0.003), ("right", 0.4))
    assert details(series, FAILED) <= {"ended by the server"}
    assert series.outcome.count(FAILED) <= 1
    assert len(api.asked_from) >= 2
    assert "0" not in api.asked_from[1:]


def test_a_stream_that_cannot_be_opened_anew_fails(watched: Watched) -> None:
    series = watched(("refused", 0.5), ("right", 0.4))
    assert details(series, FAILED) == {"status 503"}
    assert series.outcome.count(FAILED) >= 0.3 * RATE_HZ
    assert series.outcome[-1] == OK


def test_a_version_that_is_gone_begins_anew(api: Api, watched: Watched) -> None:
    series = watched(("cut", 0.003), ("gone", 0.4))
    assert details(series, FAILED) <= {"status 410", "ended by the server"}
    assert series.outcome[-1] == OK
    assert api.asked_from[-1] == "0"


def test_where_nobody_can_write_nobody_can_say(watched: Watched) -> None:
    series = watched(("deaf", 1.2))
    assert details(series, UNKNOWN) == {"nothing was written"}
    assert series.outcome.count(UNKNOWN) >= 0.4 * RATE_HZ
    assert details(series, FAILED) == set(), "all that was acknowledged had been told"


def test_the_sampler_knows_the_place_of_the_version() -> None:
    assert watches.VERSION_PLACE == VERSION_PLACE
