"""A TLS server in a network namespace of its own, and the switch that breaks it; a program.

    unshare --net python3 -m tests.known.server FOLDER_OF_CERTIFICATES

It says `{"port"}` when it listens, and obeys one line of JSON at a time: `{"mode", "length_s"}` is
answered, when that outage is over, by `{"start", "end"}`, each the CLOCK_MONOTONIC nanoseconds just
before and just after the switch was turned. It ends with its stdin, and the namespace with it.

One thread, so nothing is answered while the switch is being turned. Modes:

refused      nobody listens, and what was open is reset
reset        every connection is accepted and reset, and what was open is reset
black hole   nftables drops every packet to and from the port, in silence
hang         connections are accepted and never answered; those are reset when the outage ends
503          every request is answered, with status 503
slow         requests are read, and answered when the outage is over
third        every connection is reset with probability 1/3, by a seeded generator
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import os
import random
import socket
import ssl
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ADDRESS = ("127.0.0.1", 8443)
BODY = b'{"kind":"ConfigMap"}'
GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)
UNAVAILABLE = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
THIRD = 1 / 3
FIFO_PRIORITY = 5
"""Below the sampler's: on a busy machine the switch shall be the only reason not to answer."""
RULES = f"""
add table inet hole
add chain inet hole in {{ type filter hook input priority 0; }}
add rule inet hole in tcp dport {ADDRESS[1]} drop
add rule inet hole in tcp sport {ADDRESS[1]} drop
"""


class Nftables:
    """The library behind nft: a process for each change would blur the moment of the change."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL("libnftables.so.1")
        self._library.nft_ctx_new.restype = ctypes.c_void_p
        self._context = ctypes.c_void_p(self._library.nft_ctx_new(0))

    def run(self, commands: str) -> None:
        """One transaction; RuntimeError where the kernel refuses it (nft has said why)."""
        if self._library.nft_run_cmd_from_buffer(self._context, commands.encode()):
            raise RuntimeError(f"nft refused: {commands}")


class Server:
    """Everything that connections share: the mode, and who is open."""

    def __init__(self, folder: Path) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(folder / "server.pem", folder / "server.key")
        self.context.load_verify_locations(folder / "ca.pem")
        self.context.verify_mode = ssl.CERT_OPTIONAL
        self.mode = "ok"
        self.open: set[Connection] = set()
        self.waiting: list[Connection] = []
        self.rng = random.Random("one in three")
        self._nftables = Nftables()
        self._listening: asyncio.Server | None = None

    async def serve(self, listener: socket.socket) -> None:
        """Accept what comes to a listening socket."""
        make = asyncio.get_running_loop().create_server
        self._listening = await make(lambda: Connection(self), sock=listener)

    async def outage(self, mode: str, *, length_s: float) -> dict[str, tuple[int, int]]:
        """Break, wait, mend; when each was done."""
        start = self._broken(mode)
        await asyncio.sleep(length_s)
        before = time.monotonic_ns()
        self.mode = "ok"
        listener = self._mended(mode)
        end = before, time.monotonic_ns()
        if listener:
            await self.serve(listener)
        return {"start": start, "end": end}

    def _broken(self, mode: str) -> tuple[int, int]:
        before = time.monotonic_ns()
        self.mode = mode
        if mode == "black hole":
            self._nftables.run(RULES)
        if mode == "refused" and self._listening:
            self._listening.close()
        if mode in ("refused", "reset"):
            self._reset_all()
        return before, time.monotonic_ns()

    def _mended(self, mode: str) -> socket.socket | None:
        """The new listening socket, where the old one was closed."""
        if mode == "black hole":
            self._nftables.run("delete table inet hole")
        if mode == "hang":
            self._reset_all()
        for connection in self.waiting:
            connection.answer()
        self.waiting.clear()
        return listening() if mode == "refused" else None

    def _reset_all(self) -> None:
        for connection in list(self.open):
            connection.reset()


class Connection(asyncio.Protocol):
    """One client: TLS over memory, so that it can be left unanswered at any step."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = server.context.wrap_bio(self._in, self._out, server_side=True)
        self._shaken = False
        self._request = b""
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._server.open.add(self)
        mode = self._server.mode
        if mode == "reset" or (mode == "third" and self._server.rng.random() < THIRD):
            self.reset()

    def connection_lost(self, error: Exception | None) -> None:
        self._server.open.discard(self)

    def data_received(self, data: bytes) -> None:
        if self._server.mode == "hang":
            return
        self._in.write(data)
        try:
            self._step()
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:
            self._transport.close()
            return
        self._flush()

    def _step(self) -> None:
        if not self._shaken:
            self._tls.do_handshake()
            self._shaken = True
        while data := self._tls.read(65536):
            self._request += data
            while b"\r\n\r\n" in self._request:
                _, _, self._request = self._request.partition(b"\r\n\r\n")
                self._asked()

    def _asked(self) -> None:
        if self._server.mode == "slow":
            self._server.waiting.append(self)
        else:
            self.answer()

    def answer(self) -> None:
        """Answer one request as the mode says; the client closes."""
        self._tls.write(UNAVAILABLE if self._server.mode == "503" else GOOD)
        self._flush()

    def _flush(self) -> None:
        if data := self._out.read():
            self._transport.write(data)

    def reset(self) -> None:
        """RST instead of FIN."""
        self._server.open.discard(self)
        with contextlib.suppress(OSError):
            raw = self._transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()


def listening() -> socket.socket:
    """A listening socket at ADDRESS."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(ADDRESS)
    listener.listen(512)
    return listener


def say(message: dict[str, Any]) -> None:
    """One line to whoever started us."""
    print(json.dumps(message), flush=True)


async def obey(folder: Path) -> None:
    """Outages one after another, until stdin ends."""
    server = Server(folder)
    await server.serve(listening())
    say({"port": ADDRESS[1]})
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        asked = json.loads(line)
        say(dict(await server.outage(asked["mode"], length_s=asked["length_s"])))


def main() -> None:
    """Refuses to work in the namespace of whoever starts it: it would drop its packets."""
    own, parent = Path("/proc/self/ns/net"), Path(f"/proc/{os.getppid()}/ns/net")
    if own.samefile(parent):
        raise SystemExit("start it in a network namespace of its own: unshare --net …")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(FIFO_PRIORITY))
    asyncio.run(obey(Path(sys.argv[1])))


if __name__ == "__main__":
    main()
