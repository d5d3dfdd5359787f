"""A small TLS server with outages of known length, and a run directory to sample into."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import pytest

from quorate.harness.model.experiment import Experiment
from quorate.harness.model.probe_plan import ClientCredentials, ProbePlan
from quorate.harness.store.experiment_file import parse_experiment
from quorate.harness.store.run_directory import ExperimentSource, RunDirectory
from tests.known import certificates

EXPERIMENT = """
title: t
description: d
controls: [{name: quorate, provider: {type: python, module: quorate.control}}]
runtime: {rollbacks: {strategy: always}}
steady-state-hypothesis:
  title: Every objective below is met
  probes:
    - {type: probe, name: verdict, tolerance: MET,
       provider: {type: python, module: quorate.verdict, func: verdict}}
method:
  - {name: w, type: action, provider: {type: python, module: quorate.faults, func: watch}}
extensions:
  - name: quorate
    format: 1
    baseline_s: 30
    probes:
      api: {probe: api_quorum_read, path: vip, connection: new, rate_hz: 20}
    objectives:
      - {indicator: longest_outage_s, of: api, deadline_s: 1, during: fault, at_most: 5}
"""

Mode = Literal["ok", "refused", "hang", "reset"]
BODY = b'{"kind":"ConfigMap"}'


@pytest.fixture(scope="session")
def experiment() -> Experiment:
    return parse_experiment(EXPERIMENT, file="experiment.yaml")


@pytest.fixture
def run(tmp_path: Path, experiment: Experiment) -> RunDirectory:
    source = ExperimentSource(EXPERIMENT)
    return RunDirectory.create(
        tmp_path, experiment=experiment, source=source, cluster_name="c", seed=1
    )


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ca.pem, server.pem, server.key (for 127.0.0.1), client.pem, client.key."""
    return certificates.written(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def server(pki: Path) -> Iterator[Server]:
    with Server(pki) as server:
        yield server


@pytest.fixture
def plan(pki: Path, server: Server) -> Callable[..., ProbePlan]:
    """Makes plans for the server; keywords change what differs."""
    credentials = ClientCredentials(
        ca_pem=(pki / "ca.pem").read_text(),
        certificate_pem=(pki / "client.pem").read_text(),
        key_pem=(pki / "client.key").read_text(),
    )

    def make(**change: object) -> ProbePlan:
        values: dict[str, object] = {
            "host": "127.0.0.1",
            "port": server.port,
            "path": "/",
            "connection": "new",
            "rate_hz": 50.0,
            "credentials": credentials,
            "hard_timeout_s": 1.0,
            "body_contains": '"kind":"ConfigMap"',
        }
        return ProbePlan(**{**values, **change})  # type: ignore[arg-type]

    return make


class Server:
    """Answers every request with BODY while its mode is ``ok``; demands a client certificate.

    ``refused``: nobody listens. ``hang``: connections are made and never answered, and are reset
    when the outage ends, so that none of them is answered late. ``reset``: accepted and reset.
    """

    def __init__(self, pki: Path) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(pki / "server.pem", pki / "server.key")
        self._context.load_verify_locations(pki / "ca.pem")
        self._context.verify_mode = ssl.CERT_REQUIRED
        self.mode: Mode = "ok"
        self.delay_s = 0.0
        self.connections = 0
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listener = _listen(0)
        self.port = int(self._listener.getsockname()[1])
        self._done = False
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def __enter__(self) -> Server:
        self._threads[0].start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._done = True
        self.mode = "reset"
        self._cut()
        self._wake()
        for thread in self._threads:
            thread.join(timeout=5)

    def outage(self, mode: Mode, *, length_s: float) -> tuple[float, float]:
        """A real outage; its start and end on CLOCK_MONOTONIC, seconds."""
        self.mode = mode
        if mode == "refused":
            self._wake()
        if mode in ("refused", "reset"):
            self._cut()
        start = time.monotonic()
        time.sleep(length_s)
        self._cut()
        if mode == "refused":
            self._listener = _listen(self.port)
        self.mode = "ok"
        return start, time.monotonic()

    def _wake(self) -> None:
        """Closes the listener, which ends the accept that waits on it."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _cut(self) -> None:
        with self._lock:
            for connection in list(self._open):
                _reset(connection)
            self._open.clear()

    def _accept(self) -> None:
        while not self._done:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # closed for an outage; the next round has the new listener
                time.sleep(0.002)
                continue
            self.connections += 1
            if self.mode == "reset":
                _reset(connection)
                continue
            with self._lock:
                self._open.add(connection)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            thread.start()

    def _serve(self, raw: socket.socket) -> None:
        while self.mode == "hang":
            time.sleep(0.002)
        try:
            with self._context.wrap_socket(raw, server_side=True) as connection:
                with self._lock:
                    self._open.discard(raw)
                    self._open.add(connection)
                self._talk(connection)
                with self._lock:
                    self._open.discard(connection)
        except OSError:
            raw.close()

    def _talk(self, connection: ssl.SSLSocket) -> None:
        data = b""
        while chunk := connection.recv(65536):
            data += chunk
            while b"\r\n\r\n" in data:
                request, _, data = data.partition(b"\r\n\r\n")
                while self.mode == "hang":
                    time.sleep(0.002)
                time.sleep(self.delay_s)
                head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(BODY)}\r\n"
                connection.sendall(head.encode() + b"\r\n" + BODY)
                if b"Connection: close" in request:
                    return


def _listen(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(512)
    return listener


def _reset(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        socket.socket.shutdown(connection, socket.SHUT_RD)
    with contextlib.suppress(OSError):
        connection.close()
