"""HAProxy, through its admin socket on the node."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from quorate.harness.drivers.node_program import parse_stat
from quorate.harness.errors import DriverError
from quorate.harness.model.cluster import Cluster
from quorate.harness.transport import Transport

UNIT = "haproxy"
CONFIGURATION = "/etc/haproxy/haproxy.cfg"


# What is found drained goes to the node's log: it shows, later, that it had been so. `$1` the
# socket, `$2` the tag, the rest backend/server.
_READY = """\
socket=$1; tag=$2; shift 2
for server do
    backend=$(dirname "$server"); name=$(basename "$server")
    echo "show servers state $backend" | socat - "$socket" |
        awk -v name="$name" '$4 == name && $6 != 0 { print "server " name " was drained" }' |
        systemd-cat -t "$tag"
    echo "set server $server state ready" | socat - "$socket"
done
"""
_DRAIN = """\
socket=$1; shift
for server do echo "set server $server state drain" | socat - "$socket" || exit; done
"""

_STAT = "echo 'show stat -1 4 -1' | socat - \"$1\""

_DESCRIPTION = "echo 'show info' | socat - \"$1\" | grep -E '^(Name|description):'"

# Counted from the right: what a check said may hold commas, and stands to the left.
_FALLS = """\
echo 'show stat -1 4 -1' | socat - "$1" | awk -F, '
    NR == 1 { for (i = 1; i <= NF; i++) if ($i == "check_fall") after = NF - i }
    NR > 1 && NF { print $1 "/" $2 " falls after " $(NF - after) }'
"""

_FALLS_AFTER = re.compile(r"^(\S+) falls after (\d+)$", re.MULTILINE)

FORCED_DRAIN = 0x08
"""The bit of srv_admin_state that an operator's drain sets (haproxy include/haproxy/server-t.h:
SRV_ADMF_FDRAIN)."""


@dataclass(frozen=True)
class Server:
    """One line of `show servers state`."""

    backend: str
    name: str
    address: str = ""
    admin_state: int = 0

    @property
    def path(self) -> str:
        """As the admin socket's commands name it."""
        return f"{self.backend}/{self.name}"


def parse_servers_state(text: str) -> tuple[Server, ...]:
    """`show servers state`, by the names in its header. KeyError and ValueError for other text."""
    lines = [line for line in text.splitlines() if line.strip() and line.strip() != "1"]
    header = lines[0].lstrip("# ").split() if lines else []
    rows = (dict(zip(header, line.split(), strict=False)) for line in lines[1:])
    return tuple(
        Server(row["be_name"], row["srv_name"], row["srv_addr"], int(row["srv_admin_state"]))
        for row in rows
    )


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

    def checks(self, node: str) -> dict[str, tuple[str, str]]:
        """backend/server → its status ("UP", "no check", …) and how its last check ended ("L7OK",
        "L4TOUT", "INI", …; section 9.1 of HAProxy's management guide).

        DriverError when the answer cannot be read, TransportError when there is none.
        """
        asked = self._transport.check(node, self.stat_argv(), timeout_s=8.0)
        rows = csv.DictReader(io.StringIO(asked.stdout.lstrip("# ")))
        try:
            return {
                f"{row['pxname']}/{row['svname']}": (
                    row["status"],
                    row["check_status"].removeprefix("* "),  # one is under way
                )
                for row in rows
                if row["svname"] not in ("FRONTEND", "BACKEND", "", None)
            }
        except (KeyError, AttributeError) as error:
            raise DriverError(f"{node}: `show stat` cannot be read: {error}") from error

    def configuration(self, node: str) -> str:
        """haproxy.cfg as it lies on the node. TransportError when it cannot be read."""
        return self._transport.check(node, ["cat", CONFIGURATION], timeout_s=8.0).stdout

    def servers_state(self, node: str) -> tuple[Server, ...]:
        """Every server behind the HAProxy of `node`, with what an operator has ordered for it.

        DriverError when the answer cannot be read, TransportError when there is none.
        """
        asked = self._transport.check(
            node, ["socat", "-", self._socket], stdin=b"show servers state\n", timeout_s=8.0
        )
        try:
            return parse_servers_state(asked.stdout)
        except (KeyError, ValueError) as error:
            raise DriverError(f"{node}: `show servers state` cannot be read: {error}") from error

    def drain_argv(self, servers: Sequence[Server]) -> tuple[str, ...]:
        """Send them no new connections; those that are there go on. Not kept over a restart."""
        return ("sh", "-c", _DRAIN, "quorate", self._socket, *(one.path for one in servers))

    def ready_argv(self, servers: Sequence[Server], *, tag: str) -> tuple[str, ...]:
        """The way back, logged under `tag` where it was needed; harmless where it was not."""
        paths = (one.path for one in servers)
        return ("sh", "-c", _READY, "quorate", self._socket, tag, *paths)

    def stat_argv(self) -> tuple[str, ...]:
        """Prints `show stat` of every server."""
        return ("sh", "-c", _STAT, "quorate", self._socket)

    def falls_argv(self) -> tuple[str, ...]:
        """Prints `backend/server falls after N` of every server: N failed checks take it out."""
        return ("sh", "-c", _FALLS, "quorate", self._socket)

    def description_argv(self) -> tuple[str, ...]:
        """Prints the name of the program and, where its configuration has one, a description."""
        return ("sh", "-c", _DESCRIPTION, "quorate", self._socket)

    def description(self, node: str) -> str:
        """What `description_argv` prints; TransportError when HAProxy cannot be asked."""
        return self._transport.check(node, self.description_argv(), timeout_s=8.0).stdout

    def falls(self, node: str) -> dict[str, int]:
        """backend/server → failed checks on end that take it out; servers without checks are not
        told of. TransportError when HAProxy cannot be asked."""
        said = self._transport.check(node, self.falls_argv(), timeout_s=8.0).stdout
        return {path: int(number) for path, number in _FALLS_AFTER.findall(said)}

    def state_argv(self) -> tuple[str, ...]:
        """Prints `show servers state` (constant script, the socket as data)."""
        script = 'echo "show servers state" | socat - "$1"'
        return ("sh", "-c", script, "quorate", self._socket)


def ready_pattern(servers: Sequence[Server]) -> str:
    """What the output of `state_argv` matches when all of these have no admin state set."""
    names = "".join(
        rf"(?=[\s\S]*^\d+ {re.escape(one.backend)} \d+ {re.escape(one.name)} \S+ \d+ 0 )"
        for one in servers
    )
    return rf"\A{names}"


def never_pattern(paths: Iterable[str], word: str) -> str:
    """What the output of `stat_argv` matches when it lists each of these, and none with `word` in
    a column of its own."""
    each = (path.split("/", 1) for path in paths)
    lines = "".join(
        rf"(?=[\s\S]*^{re.escape(backend)},{re.escape(name)},)"
        rf"(?![\s\S]*^{re.escape(backend)},{re.escape(name)},(.*,)?(\* )?{re.escape(word)},)"
        for backend, name in each
    )
    return rf"\A{lines}"
