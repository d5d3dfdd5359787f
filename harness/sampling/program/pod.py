"""The sampler in a pod: one port, asked by way of an API server's proxy, and nothing else open.

It is told all but the run's base by its order, a file of a Secret of the run::

    {"folder": …, "port": …, "token": …, "lasts_s": …, "config": {…}}     (as detached.py)

``lasts_s``: when the pod's first process ends, whatever became of the sampler.

    GET /<token>/there              200 as soon as it can be asked
    GET /<token>/begin/<base_ns>    starts the sampler, the first time
    GET /<token>/feed  (Upgrade)    101, then the conversation of feed.py

Whoever does not know the token is told nothing. The folder is in memory, and goes with the pod.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from typing import Any

from .detached import KILL_AFTER_S, attach, placed, settle_in
from .feed import Feed
from .main import play

HEAD_BYTES = 16384
HEAD_S = 3.0
"""Who connects says what it wants within this."""

SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: quorate\r\n\r\n"
FINE = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
NOTHING = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Door:
    """The port, and the sampler behind it."""

    def __init__(self, order: dict[str, Any]) -> None:
        self._order = order
        self._begun = False
        self._listener = _listen(int(order["port"]))

    def serve(self) -> None:
        """For as long as the pod lives."""
        while True:
            connection, _ = self._listener.accept()
            with connection:
                try:
                    self._answer(connection)
                except OSError:
                    pass  # whoever asked is gone

    def _answer(self, connection: socket.socket) -> None:
        connection.settimeout(HEAD_S)
        token, word, more = _asked(connection)
        connection.settimeout(None)
        if token != self._order["token"]:
            connection.sendall(NOTHING)
        elif word == "there":
            connection.sendall(FINE)
        elif word == "begin":
            self._begin(int(more))
            connection.sendall(FINE)
        elif word == "feed":
            connection.sendall(SWITCHED)
            if not os.fork():
                os._exit(_feed(connection, self._order["folder"]))

    def _begin(self, base_ns: int) -> None:
        """Once: a question whose answer was lost comes again."""
        if self._begun:
            return
        self._begun = True
        config, folder = self._order["config"], self._order["folder"]
        settle_in(folder)
        if not os.fork():
            attach(folder)
            os._exit(play(json.dumps(placed({**config, "base_ns": base_ns}, folder)).encode()))


def main() -> int:
    """``sys.argv[-1]`` is the order's file."""
    with open(sys.argv[-1], encoding="utf-8") as file:
        order = json.load(file)
    # The first process of a container is ended by no signal that it does not handle.
    for number in (signal.SIGTERM, signal.SIGALRM):
        signal.signal(number, lambda *_: os._exit(1))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    signal.setitimer(signal.ITIMER_REAL, float(order["lasts_s"]) + KILL_AFTER_S)
    Door(order).serve()
    return 0


def _feed(connection: socket.socket, folder: str) -> int:
    """In a process of its own, which ends with the connection."""
    for number in (0, 1):
        os.dup2(connection.fileno(), number)
    try:
        return Feed(folder).run()
    except OSError:
        return 0


def _listen(port: int) -> socket.socket:
    if socket.has_dualstack_ipv6():
        return socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
    return socket.create_server(("", port))


def _asked(connection: socket.socket) -> tuple[str, str, str]:
    """What stands in the request's path; empty words for what is none of ours."""
    head = b""
    while b"\r\n\r\n" not in head:
        data = connection.recv(4096)
        head += data
        if not data or len(head) > HEAD_BYTES:
            return ("", "", "")
    words = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
    if len(words) != 3:
        return ("", "", "")
    token, word, more, *_ = [*words[1].strip("/").split("/"), "", "", ""]
    return (token, word, more)
