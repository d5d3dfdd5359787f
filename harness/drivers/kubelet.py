"""Where kubeadm puts what a kubelet goes by, and whom it talks to."""

from __future__ import annotations

from quorate.harness.errors import DriverError
from quorate.harness.transport import Transport

UNIT = "kubelet"
KUBECONFIG = "/etc/kubernetes/kubelet.conf"
"""kubeadm's KubeletKubeConfigFileName. It may hold a key: nothing but its server is read."""

SERVER_ARGV = ("sed", "-n", "s/^ *server: *//p", KUBECONFIG)
"""Prints the URL of the API server."""

PEERS_ARGV = ("sh", "-c", "ss -Htnp state established | awk '/\"kubelet\"/ { print $4 }'")
"""Prints `address:port` of whoever kubelet has a connection with, both ways."""

CONFIGURATION = "/var/lib/kubelet/config.yaml"
"""kubeadm's KubeletRunDirectory and KubeletConfigurationFileName."""


def with_server_argv(url: str) -> tuple[str, ...]:
    """Prints the kubeconfig with this server."""
    return ("sed", "-E", f"s#^( *server:).*#\\1 {url}#", KUBECONFIG)


class KubeletDriver:
    """Whom the kubelet of a node talks to. Changes nothing."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def server(self, node: str) -> str:
        """The URL by which it is to reach the API. TransportError when the node cannot be asked,
        DriverError when its kubeconfig does not say."""
        said = self._transport.check(node, SERVER_ARGV, timeout_s=8.0).stdout.split()
        if len(said) != 1:
            raise DriverError(f"{node}: {KUBECONFIG} names {len(said)} servers, not one")
        return said[0]

    def peers(self, node: str) -> tuple[str, ...]:
        """`address:port` of whoever it has a connection with; TransportError as above."""
        return tuple(self._transport.check(node, PEERS_ARGV, timeout_s=8.0).stdout.split())
