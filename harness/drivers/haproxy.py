"""HAProxy, through its admin socket on the node."""

from __future__ import annotations

from quorate.harness.drivers.node_program import parse_stat
from quorate.harness.errors import DriverError
from quorate.harness.model.cluster import Cluster
from quorate.harness.transport import Transport

UNIT = "haproxy"
CONFIGURATION = "/etc/haproxy/haproxy.cfg"


class HAProxyDriver:
    """What one load balancer thinks of the servers behind it."""

    def __init__(self, transport: Transport, *, cluster: Cluster) -> None:
        self._transport = transport
        self._socket = str(cluster.haproxy.stats_socket)

    def servers(self, node: str) -> dict[str, str]:
        """Server name → status ("UP", "DOWN 1/2", …) as seen by the HAProxy of `node`.

        DriverError when the answer cannot be read, TransportError when there is none.
        """
        asked = self._transport.check(
            node, ["socat", "-", self._socket], stdin=b"show stat -1 4 -1\n", timeout_s=8.0
        )
        try:
            return {name: status for name, _, status in parse_stat(asked.stdout)}
        except KeyError as error:
            raise DriverError(f"{node}: `show stat` without column {error}") from error

    def configuration(self, node: str) -> str:
        """haproxy.cfg as it lies on the node. TransportError when it cannot be read."""
        return self._transport.check(node, ["cat", CONFIGURATION], timeout_s=8.0).stdout
