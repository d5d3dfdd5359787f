"""A cluster in memory that answers over real TLS: API servers, and a VIP that moves.

    python servers.py WORLD

WORLD holds its state as files (see world.py). Runs until it is killed.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from world import API_PORT, FAILOVER_S, VIP_PORT, World

TICK_S = 0.02


def body_of(world: World, path: str) -> bytes:
    """What an API server says."""
    if path == "/api/v1/nodes":
        nodes = [
            {
                "metadata": {"name": name},
                "status": {
                    "conditions": [{"type": "Ready", "status": str(not world.is_off(name))}]
                },
            }
            for name in world.nodes
        ]
        return json.dumps({"kind": "NodeList", "items": nodes}).encode()
    if path.startswith("/api/v1/namespaces/kube-system/configmaps/kubeadm-config"):
        return b'{"kind":"ConfigMap","apiVersion":"v1","data":{}}'
    return b"ok"


class Listener:
    """One address that is served or not, as it is told; closing it breaks its connections."""

    def __init__(self, world: World, host: str, port: int, tls: ssl.SSLContext) -> None:
        self._world, self._host, self._port, self._tls = world, host, port, tls
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
                body = body_of(self._world, path)
                # No Lease is ever held here, and whoever wants it gets it.
                status = b"404 Not Found" if "/leases" in path and method == "GET" else b"200 OK"
                writer.write(
                    b"HTTP/1.1 %s\r\nContent-Type: application/json\r\n"
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


async def main(world: World) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(world.path / "crt.pem", world.path / "key.pem")
    api = {name: Listener(world, world.nodes[name], API_PORT, tls) for name in world.nodes}
    vip = Listener(world, world.vip, VIP_PORT, tls)
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
        (world.path / "ready").touch()
        await asyncio.sleep(TICK_S)


if __name__ == "__main__":
    asyncio.run(main(World(Path(sys.argv[1]))))
