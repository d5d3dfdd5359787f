"""Each probe of the API against a server in this process that answers rightly, wrongly, late, half
and not at all: what the samples say, and what the server was asked to keep."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from quorate.harness.model.cluster import Cluster
from quorate.harness.model.experiment import ProbeSpec
from quorate.harness.model.probe_plan import ClientCredentials
from quorate.harness.model.timeline import FAILED, OK, SampleSeries
from quorate.harness.sampling.sampler import Sampler
from quorate.harness.store.run_directory import RunDirectory
from quorate.probes.catalogue import PROBES, plan_probe

CLUSTER = Cluster.model_validate(
    {
        "format": 1,
        "name": "c",
        "kubeconfig": Path("kubeconfig"),
        "virtual_ip": {"address": "127.0.0.1", "port": 1},
        "nodes": [{"name": "cp1", "address": "127.0.0.1", "roles": ["control-plane"]}],
    }
)
BODY = b'{"kind":"ConfigMap","apiVersion":"v1"}'
TIMEOUT_S = 0.4
LATE_S = 0.2
WORDS = {200: "OK", 201: "Created", 503: "No"}


class Api:
    """Answers as an API server would, in a ``way``; ``asked`` holds whole requests."""

    def __init__(self, way: str) -> None:
        self.way = way
        self.asked: list[tuple[str, bytes]] = []
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

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, connection.makefile("rb") as stream:
                while first := stream.readline().decode():
                    self._answer(connection, first.split()[0], self._read(first, stream))
                    if self.way == "half":
                        return
        except OSError:
            pass  # the sampler resets its connections at its end

    def _read(self, first: str, stream: object) -> bytes:
        fields = {}
        while (line := stream.readline().strip().decode()) != "":  # type: ignore[attr-defined]
            name, _, value = line.partition(": ")
            fields[name] = value
        body = stream.read(int(fields.get("Content-Length", 0)))  # type: ignore[attr-defined]
        self.asked.append((first, body))
        return bytes(body)

    def _answer(self, connection: socket.socket, method: str, _: bytes) -> None:
        if self.way == "silent":
            return
        if self.way == "late":
            time.sleep(LATE_S)
        status = 503 if self.way == "wrong status" else {"GET": 200, "POST": 201}[method]
        body = b"{}" if self.way == "wrong body" else BODY
        head = f"HTTP/1.1 {status} {WORDS[status]}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        connection.sendall((head + body)[: -len(body) // 2 if self.way == "half" else None])


Asked = Callable[..., tuple[SampleSeries, Api]]


@pytest.fixture
def asked(run: RunDirectory) -> Iterator[Asked]:
    servers = []

    def ask(probe: str, *, way: str, connection: str = "reused") -> tuple[SampleSeries, Api]:
        api = Api(way)
        servers.append(api)
        raw = {"probe": probe, "path": "apiserver", "connection": connection, "rate_hz": 20}
        spec = ProbeSpec.model_validate(raw)
        plan = plan_probe(spec, cluster=CLUSTER, credentials=ClientCredentials(""))
        plan = replace(plan, port=api.port, credentials=None, hard_timeout_s=TIMEOUT_S)
        with Sampler(run, {"asked": plan}):
            time.sleep(0.5)
        return run.timeline().series["asked"], api

    yield ask
    for server in servers:
        server.close()


def outcomes(series: SampleSeries) -> set[tuple[int, str]]:
    every = zip(series.outcome, series.detail, strict=True)
    found = {(outcome, series.texts[detail]) for outcome, detail in every}
    return {(outcome, text) for outcome, text in found if text != "late"}


API_PROBES = sorted(name for name, question in PROBES.items() if question.of == "api")


@pytest.mark.parametrize("probe", API_PROBES)
@pytest.mark.parametrize(
    ("way", "expected"),
    [
        ("right", {(OK, "")}),
        ("wrong status", {(FAILED, "status 503")}),
        ("wrong body", {(FAILED, "body")}),
        ("half", {(FAILED, "eof")}),
    ],
)
def test_an_answer_is_told_for_what_it_is(
    asked: Asked, probe: str, way: str, expected: set[tuple[int, str]]
) -> None:
    series, _ = asked(probe, way=way)
    assert len(series) >= 5
    assert outcomes(series) == expected


@pytest.mark.parametrize("probe", API_PROBES)
def test_no_answer_is_a_timeout(asked: Asked, probe: str) -> None:
    series, _ = asked(probe, way="silent", connection="new")
    assert outcomes(series) == {(FAILED, "timeout")}


@pytest.mark.parametrize("probe", API_PROBES)
def test_a_late_answer_is_ok_that_late(asked: Asked, probe: str) -> None:
    series, _ = asked(probe, way="late", connection="new")
    assert outcomes(series) == {(OK, "")}
    took_s = [end - due for due, end in zip(series.due, series.end, strict=True)]
    assert min(took_s) >= LATE_S * 0.95


@pytest.mark.parametrize("connection", ["new", "reused"])
def test_nothing_is_asked_to_be_kept(asked: Asked, connection: str) -> None:
    """Whole requests, also one behind the other on one connection, and none without dryRun."""
    series, api = asked("api_dry_run_create", way="right", connection=connection)
    assert len(api.asked) == series.outcome.count(OK)
    for first, body in api.asked:
        assert first.split()[:2] == ["POST", "/api/v1/namespaces/kube-system/configmaps?dryRun=All"]
        assert json.loads(body)["metadata"]["generateName"] == "quorate-dry-run-"
