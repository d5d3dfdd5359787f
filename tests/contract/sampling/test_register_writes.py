"""The sampler's compare-and-swap writes against an API server in this process, sound or not.

From real requests by way of sample files to the checks of data safety: what is lost is told, and
what nobody can know is not taken for lost.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from quorate.harness.judge.data_safety import data_safety
from quorate.harness.model.probe_plan import ProbePlan
from quorate.harness.model.register import Operation, Register
from quorate.harness.model.timeline import FAILED, OK
from quorate.harness.model.verdict import State
from quorate.harness.sampling.sampler import Sampler
from quorate.harness.store.run_directory import RunDirectory
from tests.contract.engine.fake.objects import ConfigMaps

FOLDER = "/api/v1/namespaces/kube-system/configmaps"
SAMPLED_S = 0.6


class Api(ThreadingHTTPServer):
    """Serves `kept`; `slow_s` lies before each answer to a PUT; `busiest` counts them at once."""

    daemon_threads = True
    slow_s = 0.0
    stale: dict[str, Any] | None = None
    """What every GET tells, whatever was written since."""
    under_way = busiest = 0

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.kept = ConfigMaps()

    def handle_error(self, request: object, client_address: object) -> None:
        """The sampler resets its connections at its end."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Api

    def do_GET(self) -> None:
        if self.server.stale is not None:
            self._say(200, json.dumps(self.server.stale).encode())
        else:
            self._answer(b"")

    def do_PUT(self) -> None:
        given = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.under_way += 1
        self.server.busiest = max(self.server.busiest, self.server.under_way)
        time.sleep(self.server.slow_s)
        self.server.under_way -= 1
        self._answer(given)

    def _answer(self, given: bytes) -> None:
        answer = self.server.kept.answer(self.command, self.path, given)
        if answer is None:
            self.close_connection = True
        else:
            self._say(*answer)

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
        server.shutdown()
        thread.join()


def register(number: int) -> Register:
    name = f"quorate-{number}"
    meta = {"name": name, "namespace": "kube-system", "labels": {"quorate/mark": "m"}}
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta}
    return Register(str(number), "writes", f"{FOLDER}/{name}", body, f"x.{number}.")


Sampled = Callable[..., dict[str, State]]


@pytest.fixture
def sampled(run: RunDirectory, api: Api) -> Sampled:
    """Writes and reads for a while and judges it: check → state. The run's part is played here."""

    def sample(number: int = 1, *, rate_hz: float = 25.0, connection: str = "reused") -> Any:
        registers = tuple(register(n) for n in range(1, number + 1))
        plan: dict[str, Any] = {"host": "127.0.0.1", "port": api.server_port, "path": ""}
        plan |= {"connection": connection, "rate_hz": rate_hz, "registers": registers}
        run.append_event("ledger_declared", registers={}, balancers=[], members=[])
        rows = []
        for one in registers:
            given = json.dumps({**one.body, "data": {"value": one.initial}}).encode()
            said = json.loads((api.kept.answer("POST", FOLDER, given) or (0, b""))[1])
            version = said["metadata"]["resourceVersion"]
            rows.append({"name": one.name, "value": one.initial, "version": version})
        run.append_event("ledger_made", registers=rows)
        reading = ProbePlan(**(plan | {"connection": "reused"}))
        with Sampler(run, {"writes": ProbePlan(**plan, writes=True), "_read_cp1": reading}):
            time.sleep(SAMPLED_S)
        api.stale = None
        run.append_event("ledger_read_back", reads=[_read_back(run, api, one) for one in registers])
        return {check.name: check.state for check in data_safety(run.timeline()) or ()}

    return sample


def _read_back(run: RunDirectory, api: Api, one: Register) -> dict[str, Any]:
    start = run.now()
    said = json.loads((api.kept.answer("GET", one.path, b"") or (0, b""))[1])
    row = {"register": one.name, "server": "cp1", "start": start, "end": run.now()}
    return row | {"value": said["data"]["value"], "version": said["metadata"]["resourceVersion"]}


def writes(run: RunDirectory) -> list[Operation]:
    return [one for one in run.timeline().operations if one.is_write]


def details(run: RunDirectory) -> list[str]:
    """Why the samples of the writer were not OK, one text each."""
    series = run.timeline().series["writes"]
    return [series.texts[number] for number in series.detail]


BUSY = "the write before it is under way"
OF_REGISTERS = ("acknowledged_writes", "resource_versions", "linearizability")


def of_registers(states: dict[str, State]) -> set[State]:
    return {states[name] for name in OF_REGISTERS}


@pytest.mark.parametrize("connection", ["new", "reused"])
def test_each_write_is_made_on_the_one_before(
    run: RunDirectory, api: Api, sampled: Sampled, connection: str
) -> None:
    assert of_registers(sampled(2, connection=connection)) == {State.MET}
    late = details(run).count("late") + details(run).count(BUSY)
    assert run.timeline().series["writes"].outcome.count(OK) == len(details(run)) - late
    for name in ("1", "2"):
        chain = [one for one in writes(run) if one.register == name]
        assert len(chain) >= 5
        assert [one.expected for one in chain[1:]] == [one.version for one in chain[:-1]]
        assert len({one.value for one in chain}) == len(chain)
        assert api.kept.objects[register(int(name)).path]["data"]["value"] == chain[-1].value
    labels = [one["metadata"]["labels"] for one in api.kept.objects.values()]
    assert labels == [{"quorate/mark": "m"}] * 2, "the mark is what the undo goes by"


@pytest.mark.parametrize("connection", ["new", "reused"])
def test_an_unknown_outcome_is_no_loss(
    run: RunDirectory, api: Api, sampled: Sampled, connection: str
) -> None:
    """The connection is cut after the request was sent, and the write was kept, or was not."""
    api.kept.trouble = lambda put: {1: "drop", 3: "cut", 4: "drop", 6: "cut"}.get(put, "")
    assert of_registers(sampled(connection=connection)) == {State.MET}
    tried = writes(run)
    assert [n for n, one in enumerate(tried, start=1) if one.version is None] == [1, 3, 4, 6]
    read = {one.value: one for one in run.timeline().operations if one.by == "writes"}
    assert read[tried[2].value].version is not None, "what was cut off is read before the next one"
    assert details(run).count("eof") == 4


def test_a_forgotten_write_is_told(api: Api, sampled: Sampled) -> None:
    api.kept.trouble = lambda put: "forget" if put == 4 else ""
    assert of_registers(sampled()) == {State.MISSED}


def test_the_last_write_forgotten_is_told(api: Api, sampled: Sampled) -> None:
    """Only the reading back can tell: nobody wrote or read after it."""
    api.kept.trouble = lambda put: "forget" if put == 2 else ""
    found = sampled(rate_hz=2.0)
    assert api.kept.puts == 2
    assert found["acknowledged_writes"] is State.MISSED


def test_a_change_by_somebody_else_is_read_before_the_next_write(
    run: RunDirectory, api: Api, sampled: Sampled
) -> None:
    api.kept.trouble = lambda put: "touch" if put == 3 else ""
    assert of_registers(sampled()) == {State.MET}
    assert [n for n, one in enumerate(writes(run), start=1) if one.version is None] == [3]
    assert details(run).count("status 409") == 1


def test_a_read_of_an_old_state_is_told(run: RunDirectory, api: Api, sampled: Sampled) -> None:
    meta = {"name": "quorate-1", "resourceVersion": "101"}
    api.stale = {"kind": "ConfigMap", "metadata": meta, "data": {"value": "x.1.initial"}}
    found = sampled()
    assert found["resource_versions"] is State.MISSED
    assert found["acknowledged_writes"] is State.MISSED


def test_one_write_of_a_register_at_a_time(run: RunDirectory, api: Api, sampled: Sampled) -> None:
    """At 25 Hz each write takes four periods: the ticks in between are no success, and no write."""
    api.slow_s = 0.16
    assert of_registers(sampled()) == {State.MET}
    assert api.busiest == 1
    skipped, series = details(run).count(BUSY), run.timeline().series["writes"]
    assert skipped >= len(series) / 2
    assert series.outcome.count(FAILED) == skipped
    assert len(writes(run)) <= len(series) - skipped
