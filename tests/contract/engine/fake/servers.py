"""A cluster in memory that answers over real TLS: API servers, and a VIP that moves.

    python servers.py WORLD

WORLD holds its state as files (see world.py). Runs until it is killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import ssl
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

sys.path.insert(0, str(Path(__file__).parent))
from objects import ConfigMaps
from world import API_PORT, FAILOVER_S, VIP_PORT, World

TICK_S = 0.02

LEASE: list[dict[str, Any]] = []
REVIEW = b'{"status": {"allowed": true}}'


class Doorkeeper:
    """Lets in whoever shows the token in WORLD/token, where there is one, and writes each kind of
    question into WORLD/asked once."""

    def __init__(self, world: World) -> None:
        file = world.path / "token"
        self._line = f"authorization: bearer {file.read_text()}\r\n" if file.exists() else ""
        self._asked = world.path / "asked"
        self._seen: set[tuple[str, str]] = set()

    def lets_in(self, head: str, method: str, path: str) -> bool:
        if (method, path) not in self._seen:
            self._seen.add((method, path))
            with self._asked.open("a") as file:
                file.write(f"{method} {path}\n")
        return self._line.lower() in head.lower()


def body_of(world: World, path: str, *, host: str) -> bytes:
    """What the API server at an address says; it is renewed with the kubelet beside it."""
    if path == "/api/v1/nodes":
        nodes = [
            {
                "metadata": {"name": name},
                "status": {
                    "conditions": [{"type": "Ready", "status": str(not world.is_off(name))}],
                    "nodeInfo": {
                        "kubeletVersion": world.version(name),
                        "containerRuntimeVersion": "fake://1",
                    },
                },
            }
            for name in world.nodes
        ]
        return json.dumps({"kind": "NodeList", "items": nodes}).encode()
    if path.startswith("/api/v1/namespaces/kube-system/configmaps/kubeadm-config"):
        return b'{"kind":"ConfigMap","apiVersion":"v1","data":{}}'
    if path == "/version":
        there = next((name for name, address in world.nodes.items() if address == host), "")
        return json.dumps({"gitVersion": world.version(there)}).encode()
    return b"ok"


def leased(method: str, given: bytes) -> tuple[int, bytes]:
    """The one Lease that all API servers keep, whatever it is called: made, read, removed."""
    held = LEASE[0] if LEASE else None
    if method == "POST":
        if held is not None:
            return 409, b"{}"
        made = json.loads(given)
        made["metadata"].update(uid=f"uid-{time.monotonic_ns()}", resourceVersion="1")
        LEASE.append(made)
        return 201, json.dumps(made).encode()
    if held is None:
        return 404, b"{}"
    if method == "DELETE":
        wanted = json.loads(given or b"{}").get("preconditions", {})
        if any(held["metadata"][key] != value for key, value in wanted.items()):
            return 409, b"{}"
        LEASE.clear()
    return 200, json.dumps(held).encode()


def config_maps(world: World) -> ConfigMaps:
    """The ones of all API servers; WORLD/trouble says what becomes of writes: its word is done to
    every tenth of them."""

    def trouble(put: int) -> str:
        file = world.path / "trouble"
        return file.read_text() if put % 10 == 0 and file.exists() else ""

    return ConfigMaps(trouble)


def _length(head: bytes) -> int:
    """Of the body that follows these lines."""
    found = re.search(rb"(?i)content-length: *(\d+)", head)
    return int(found[1]) if found else 0


class Listener:
    """One address that is served or not, as it is told; closing it breaks its connections."""

    def __init__(
        self, world: World, host: str, port: int, *, tls: ssl.SSLContext, kept: ConfigMaps
    ) -> None:
        self._door = Doorkeeper(world)
        self._world, self._host, self._port, self._tls = world, host, port, tls
        self._kept = kept
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def be(self, up: bool) -> None:
        if up and self._server is None:
            self._server = await asyncio.start_server(
                self._serve, self._host, self._port, ssl=self._tls, backlog=256
            )
        if not up and self._server is not None:
            self._server.close()
            self._server = None
            for writer in list(self._writers):
                writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                method, path = head.decode().split()[:2]
                given = await reader.readexactly(_length(head))
                status, body = 200, body_of(self._world, path, host=self._host)
                if not self._door.lets_in(head.decode(), method, path):
                    status, body = 401, b"{}"
                elif path.endswith("/selfsubjectaccessreviews"):
                    status, body = 201, REVIEW
                elif "/leases" in path:
                    status, body = leased(method, given)
                elif "watch=1" in path:
                    await self._tell(path, writer)
                    break
                elif "/configmaps" in path and not path.endswith("kubeadm-config"):
                    answer = self._kept.answer(method, path, given)
                    if answer is None:
                        break
                    status, body = answer
                writer.write(
                    b"HTTP/1.1 %d Said\r\nContent-Type: application/json\r\n"
                    b"Content-Length: %d\r\n\r\n%s" % (status, len(body), body)
                )
                await writer.drain()
                if b"connection: close" in head.lower():
                    break
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _tell(self, path: str, writer: asyncio.StreamWriter) -> None:
        """A watch, until its connection breaks."""
        asked = parse_qs(urlsplit(path).query).get("resourceVersion", ["0"])[0]
        told = int(asked) if asked.isdecimal() else 0
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked"
        writer.write(head + b"\r\n\r\n")
        while not writer.is_closing():
            for one in self._kept.changed(path, since=told):
                told = int(one["metadata"]["resourceVersion"])
                line = json.dumps({"type": "MODIFIED", "object": one}).encode() + b"\n"
                writer.write(b"%x\r\n%s\r\n" % (len(line), line))
            await writer.drain()
            await asyncio.sleep(TICK_S)


async def main(world: World) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(world.path / "crt.pem", world.path / "key.pem")
    kept = config_maps(world)
    api = {
        name: Listener(world, address, API_PORT, tls=tls, kept=kept)
        for name, address in world.nodes.items()
    }
    vip = Listener(world, world.vip, VIP_PORT, tls=tls, kept=kept)
    loop = asyncio.get_running_loop()
    gone_since = None
    while True:
        for name, listener in api.items():
            await listener.be(not world.is_off(name))
        holder = world.holder
        healthy = holder != "" and not world.is_off(holder)
        await vip.be(healthy)
        if healthy:
            gone_since = None
        elif gone_since is None:
            gone_since = loop.time()
        elif loop.time() - gone_since > FAILOVER_S:
            world.elect()
        world.show_objects(list(kept.objects))
        (world.path / "ready").touch()
        await asyncio.sleep(TICK_S)


def go_first() -> None:
    """Before whatever else this machine does but the samplers, where that is allowed: each of these
    servers stands for a machine of its own, which answers in milliseconds. (Being nice would not
    do: the kernel counts that within a session only, sched(7), "autogroup".)"""
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))


if __name__ == "__main__":
    go_first()
    asyncio.run(main(World(Path(sys.argv[1]))))
