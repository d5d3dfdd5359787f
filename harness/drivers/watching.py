"""Objects by list and watch, each API server for itself, so that losing one blinds nobody.

Raw HTTP and not the `kubernetes` package's watch, which resumes from a wrong version, hides what it
retries, and waits for ever in a black hole (reference/chaostoolkit.md §4).
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import time
from collections.abc import Iterator

from quorate.harness.drivers.follower import Sink, Source
from quorate.harness.drivers.kube import KubeDriver
from quorate.harness.drivers.watched import Noticed, NoticedKind, Resource, Thing, version_of
from quorate.harness.errors import DriverError
from quorate.harness.model.cluster import Node

CONNECT_S = 2.0
WATCH_S = 10
"""A watch is ended by the server after so long and asked anew from where it was. What is silent
for longer is not idle but lost: bookmarks alone come once a minute."""

SILENT_S = WATCH_S + 2.0
RETRY_S, RETRY_MOST_S = 0.5, 5.0
"""Pause after a failure; it doubles with each in a row."""


class Expired(DriverError):
    """410: the version to go on from is too old, so all is listed anew."""


class ObjectsFollower(Source):
    """One resource, as one API server tells of it."""

    def __init__(self, node: Node, *, resource: Resource, kube: KubeDriver, sink: Sink) -> None:
        super().__init__(f"{resource.name} by {node.name}", sink=sink)
        self._node, self._resource, self._kube = node, resource, kube
        self._headers = {"Accept": "application/json", **kube.headers}
        self._heard_ns = 0
        self._is_open = False
        self._socket: socket.socket | None = None

    def stop(self) -> None:
        """Wakes it, too: a watch waits for the next change."""
        super().stop()
        if (connected := self._socket) is not None:
            with contextlib.suppress(OSError):  # it has just closed it
                _end(connected)

    def _run(self) -> None:
        pause_s = RETRY_S
        while not self._stopping.is_set():
            self._is_open = False
            try:
                self._follow()
            except Expired:
                pause_s = 0.0
            except (OSError, http.client.HTTPException, DriverError):
                # What cannot be read is not known, whatever the reason.
                pause_s = RETRY_S if self._is_open else min(max(pause_s, RETRY_S) * 2, RETRY_MOST_S)
            if not self._stopping.is_set():
                self._say("lost", until_ns=self._heard_ns)
            self._stopping.wait(pause_s)

    def _follow(self) -> None:
        connection = self._kube.connection(self._node, timeout_s=CONNECT_S)
        try:
            connection.connect()
            self._socket = connection.sock
            connection.sock.settimeout(SILENT_S)
            version = self._list(connection)
            while not self._stopping.is_set():
                version = self._watch(connection, version)
        finally:
            self._socket = None
            connection.close()

    def _list(self, connection: http.client.HTTPSConnection) -> int:
        connection.request("GET", self._resource.path, headers=self._headers)
        answer = connection.getresponse()
        body = answer.read()
        _demand_ok(answer.status)
        with _as_driver_error():
            found = json.loads(body)
            version = version_of(found)
            things = [self._resource.read(one) for one in found["items"]]
        known = tuple(thing for thing in things if thing is not None)
        self._say("listed", things=known, version=version)
        return version

    def _watch(self, connection: http.client.HTTPSConnection, version: int) -> int:
        """Until the server ends it in order; the version to go on from."""
        query = f"watch=1&allowWatchBookmarks=true&timeoutSeconds={WATCH_S}"
        path = f"{self._resource.path}?{query}&resourceVersion={version}"
        connection.request("GET", path, headers=self._headers)
        answer = connection.getresponse()
        if answer.status != http.client.OK:
            answer.read()
        _demand_ok(answer.status)
        self._heard_ns = time.monotonic_ns()
        if not self._is_open:
            self._is_open = True
            self._say("opened")
        while line := answer.readline():
            self._heard_ns = time.monotonic_ns()
            version = self._take(line)
        self._heard_ns = time.monotonic_ns()
        return version

    def _take(self, line: bytes) -> int:
        """One event of the watch; its version."""
        with _as_driver_error():
            said = json.loads(line)
            kind, found = said["type"], said["object"]
            if kind == "ERROR":
                _demand_ok(int(found["code"]))
            version = version_of(found)
            thing = None if kind == "BOOKMARK" else self._resource.read(found)
        if thing is not None:
            self._say("deleted" if kind == "DELETED" else "changed", things=(thing,))
        return version

    def _say(
        self,
        kind: NoticedKind,
        *,
        things: tuple[Thing, ...] = (),
        version: int = 0,
        until_ns: int = 0,
    ) -> None:
        now_ns = time.monotonic_ns()
        name, server = self._resource.name, self._node.name
        self._sink.put(Noticed(now_ns, name, server, kind, things, version, until_ns))


@contextlib.contextmanager
def _as_driver_error() -> Iterator[None]:
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DriverError(f"cannot be read: {type(error).__name__}: {error}") from error


def _end(connected: socket.socket) -> None:
    """By a copy of the descriptor: the TLS object belongs to another thread."""
    with socket.socket(fileno=os.dup(connected.fileno())) as copy:
        copy.shutdown(socket.SHUT_RDWR)


def _demand_ok(status: int) -> None:
    if status == http.client.GONE:
        raise Expired("410: the version is too old")
    if status != http.client.OK:
        raise DriverError(f"status {status}")
