"""keepalived: who holds the VIP, as seen on the machines themselves."""

from __future__ import annotations

from collections.abc import Sequence

from quorate.harness.drivers.node_program import parse_addresses
from quorate.harness.errors import DriverError, TransportError
from quorate.harness.model.cluster import Cluster
from quorate.harness.transport import Transport
from quorate.harness.transport.at_once import which

UNIT = "keepalived"
CONFIGURATION = "/etc/keepalived/keepalived.conf"

_CONNECT = (
    "import socket, sys\n"
    "try: socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=1.5)\n"
    "except OSError as error: sys.exit('no connection: %s' % error)\n"
    "print('connected')"
)

# keepalived writes what it goes by into its own /tmp at a USR1; the section of interfaces comes
# last. Nothing is left there.
_DUMP = """\
[ "$(systemctl is-active "$1")" = active ] || { echo "$1 is not active" >&2; exit 1; }
pid=$(systemctl show -p MainPID --value "$1")
files=/proc/$pid/root/tmp
rm -f "$files/keepalived.data"
kill -s USR1 "$pid"
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
    grep -q -F -e '< Interfaces >' "$files/keepalived.data" 2>/dev/null && break
    sleep 0.2
done
grep -E '^( VRRP (Instance|Script)|   (Priority|Fall|Virtual Router ID|(Advert )?[Ii]nterval)) = ' \
    "$files/keepalived.data"
code=$?
rm -f "$files/keepalived.data" "$files/keepalived_parent.data"
exit $code
"""
DUMP_ARGV = ("sh", "-c", _DUMP, "quorate", UNIT)
"""Prints the instances and scripts that keepalived goes by, each with its numbers."""


class KeepalivedDriver:
    """The VIP's holder and whether it answers, asked from the nodes."""

    def __init__(self, transport: Transport, *, cluster: Cluster) -> None:
        self._transport = transport
        self._vip = cluster.virtual_ip

    def holds(self, node: str) -> bool | None:
        """Whether the node has the VIP on one of its interfaces; None when it cannot be asked.

        DriverError when `ip` says something else than JSON.
        """
        try:
            asked = self._transport.check(node, ["ip", "-j", "addr"], timeout_s=8.0)
        except TransportError:
            return None
        try:
            return self._vip.address in parse_addresses(asked.stdout)
        except (ValueError, TypeError) as error:
            raise DriverError(f"{node}: `ip -j addr` is not JSON: {error}") from error

    def holders(self, nodes: Sequence[str]) -> list[str]:
        """Those of `nodes` that hold the VIP: one in health, two after a VRRP partition."""
        return which(self.holds, nodes)

    def configuration(self, node: str) -> str:
        """keepalived.conf as it lies on the node. TransportError when it cannot be read."""
        return self._transport.check(node, ["cat", CONFIGURATION], timeout_s=8.0).stdout

    def dump(self, node: str) -> str:
        """What `DUMP_ARGV` prints; TransportError when keepalived cannot be asked."""
        return self._transport.check(node, DUMP_ARGV, timeout_s=8.0).stdout

    def values(self, node: str, heading: str) -> dict[str, str]:
        """What the dump holds below a heading ("VRRP Instance = api"), by name."""
        found: dict[str, str] = {}
        current = ""
        for line in self.dump(node).splitlines():
            if line.startswith("   "):
                name, _, value = line.strip().partition(" = ")
                if current == heading:
                    found[name] = value
            else:
                current = line.strip()
        return found

    def answers_from(self, node: str) -> bool | None:
        """Whether a TCP connection from `node` to the VIP is accepted; None when not known."""
        argv = ["python3", "-I", "-c", _CONNECT, self._vip.address, str(self._vip.port)]
        try:
            asked = self._transport.run(node, argv, timeout_s=8.0)
        except TransportError:
            return None
        if asked.returncode == 0:
            return True
        return False if "no connection" in asked.stderr else None
