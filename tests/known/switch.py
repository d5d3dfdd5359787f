"""The handle of a server in a namespace of its own: made, broken for a known time, removed."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quorate.harness.cluster.namespace import set_network_namespace
from quorate.harness.model.probe_plan import ClientCredentials, ProbePlan
from tests.evidence import ROOT
from tests.known import server

MODES = ("refused", "reset", "black hole", "hang", "503")
"""Outages whose truth is one number: from the switch to the switch."""


@dataclass(frozen=True)
class Outage:
    """One to come: how the server is broken (see server.py), and for how long, seconds."""

    mode: str
    length_s: float


@dataclass(frozen=True)
class Truth:
    """One that was: CLOCK_MONOTONIC in seconds, by the process that turned the switch.

    ``blur_s``: how long it took to turn it, both times together.
    """

    mode: str
    start: float
    end: float
    blur_s: float

    @property
    def length_s(self) -> float:
        """How long the server was broken."""
        return self.end - self.start


class Switch:
    """A server in its namespace, as a context manager; both end with it, whatever happens."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None
        self.port = 0

    def __enter__(self) -> Switch:
        argv = ["unshare", "--net", sys.executable, "-m", "tests.known.server", str(self._folder)]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(argv, stdin=pipe, stdout=pipe, text=True, cwd=ROOT)
        self.port = int(self._said()["port"])
        return self

    def __exit__(self, *exc_info: object) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.communicate()

    @contextlib.contextmanager
    def inside(self) -> Iterator[None]:
        """The calling thread, and what it starts meanwhile, is in the server's namespace."""
        assert self._process is not None
        with open("/proc/thread-self/ns/net") as own:
            with open(f"/proc/{self._process.pid}/ns/net") as there:
                set_network_namespace(there.fileno())
            try:
                yield
            finally:
                set_network_namespace(own.fileno())

    def outage(self, outage: Outage) -> Truth:
        """Break the server and wait until it is mended."""
        assert self._process is not None
        assert self._process.stdin is not None
        order = {"mode": outage.mode, "length_s": outage.length_s}
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        said = self._said()
        (a, b), (c, d) = said["start"], said["end"]
        blur_s = (b - a + d - c) / 1e9
        return Truth(outage.mode, (a + b) / 2e9, (c + d) / 2e9, blur_s)

    def _said(self) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the server ended by itself (see above)"
        said: dict[str, Any] = json.loads(line)
        return said

    def plan(self, **change: Any) -> ProbePlan:
        """A probe of the server from within its namespace; keywords change what differs."""
        ca_pem = (self._folder / "ca.pem").read_text()
        plan: dict[str, Any] = {
            "host": server.ADDRESS[0],
            "port": self.port,
            "path": "/",
            "connection": "new",
            "rate_hz": 20.0,
            "credentials": ClientCredentials(ca_pem=ca_pem),
            "body_contains": '"kind":"ConfigMap"',
        }
        return ProbePlan(**plan | change)
