"""The sampler's DNS questions to a server in this process, which answers rightly, wrongly, late,
half, or not at all."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from quorate.harness.model.probe_plan import ProbePlan
from quorate.harness.model.timeline import FAILED, OK, SampleSeries
from quorate.harness.sampling.sampler import Sampler
from quorate.harness.store.run_directory import RunDirectory
from quorate.probes.dns_query import NAME

ADDRESS = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 30, 4) + bytes([10, 96, 0, 1])
LATE_S = 0.2


class Server:
    """Answers in a ``way``; ``clients`` are those that asked."""

    def __init__(self, way: str) -> None:
        self.way = way
        self.clients: list[tuple[str, int]] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self._thread = threading.Thread(target=self._serve)
        if way == "refused":
            self._socket.close()
        else:
            self._thread.start()

    def close(self) -> None:
        if self.way != "refused":
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
                last.sendto(b"", ("127.0.0.1", self.port))
            self._thread.join()
            self._socket.close()

    def _serve(self) -> None:
        while True:
            asked, client = self._socket.recvfrom(4096)
            if not asked:
                return
            self.clients.append(client)
            if self.way == "late":
                time.sleep(LATE_S)
            if self.way != "silent":
                self._socket.sendto(self._answer(asked), client)

    def _answer(self, asked: bytes) -> bytes:
        flags = 0x8183 if self.way == "no such name" else 0x8180
        records = b"" if self.way in ("no such name", "empty") else ADDRESS
        number = asked[:2] if self.way != "wrong number" else bytes(b ^ 0xFF for b in asked[:2])
        head = number + struct.pack("!5H", flags, 1, 1 if records else 0, 0, 0)
        message = head + asked[12:] + records
        return message[:-3] if self.way == "half" else message


Asked = Callable[[str], tuple[SampleSeries, Server]]


@pytest.fixture
def asked(run: RunDirectory) -> Iterator[Asked]:
    servers = []

    def ask(way: str) -> tuple[SampleSeries, Server]:
        server = Server(way)
        servers.append(server)
        rate_hz = 4 if way == "late" else 20  # it answers one after the other
        plan = ProbePlan(
            "127.0.0.1", server.port, "", "new", rate_hz, hard_timeout_s=0.4, looks_up=NAME
        )
        with Sampler(run, {"asked": plan}):
            time.sleep(0.6)
        return run.timeline().series["asked"], server

    yield ask
    for server in servers:
        server.close()


@pytest.mark.parametrize(
    ("way", "expected"),
    [
        ("right", (OK, "")),
        ("empty", (FAILED, "no address")),
        ("no such name", (FAILED, "rcode 3")),
        ("wrong number", (FAILED, "answer: not ours")),
        ("half", (FAILED, "answer: half a record")),
        ("silent", (FAILED, "timeout")),
        ("refused", (FAILED, "ECONNREFUSED")),
    ],
)
def test_an_answer_is_told_for_what_it_is(
    asked: Asked, way: str, expected: tuple[int, str]
) -> None:
    series, server = asked(way)
    assert len(series) >= 8
    every = zip(series.outcome, series.detail, strict=True)
    found = {(outcome, series.texts[detail]) for outcome, detail in every}
    assert {one for one in found if one[1] != "late"} == {expected}
    assert len(set(server.clients)) == len(server.clients), "each from a port of its own"


def test_a_late_answer_is_ok_that_late(asked: Asked) -> None:
    series, _ = asked("late")
    assert set(series.outcome) == {OK}
    took_s = [end - due for due, end in zip(series.due, series.end, strict=True)]
    assert min(took_s) >= LATE_S * 0.95
