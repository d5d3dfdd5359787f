"""nftables: tables of our own that lose packets on a node's links, and what they have counted.

A table of ours touches nobody else's rules and goes as a whole. It drops between the wire and all
that the machine itself decides: before connection tracking, before kube-proxy's translation, and
on the way out after both, so that it sees the addresses and ports that are on the wire. Loopback
is left alone: rules name the links (interfaces) that lead out of the machine.

Rules do not survive a reboot. With `expires_s` they do not even outlive their time: what they
match on is a set whose elements the kernel itself drops then.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from quorate.harness.errors import DriverError, RefusedError
from quorate.harness.transport import Transport

PRIORITY = -450
"""Before defragmentation (-400) and so before everything that the kernel or kube-proxy hooks in
(linux/netfilter_ipv4.h: NF_IP_PRI_*)."""

VRRP = 112
"""Its IP protocol number (RFC 5798, section 5.1.1.4)."""

_LINK = re.compile(r"[A-Za-z0-9_.@:-]{1,15}")
_TABLE = re.compile(r"[a-z][a-z0-9_.-]{0,63}")
_PACKETS = re.compile(r"counter packets (\d+)")

# `$1` the table, the rest units to stop first: an act that was put off must not come after this.
# What the rules counted goes to the node's log, since it is the kernel's own word for how much was
# lost, and it is gone with the table.
_REMOVE = """\
table=$1; shift
for unit do systemctl stop "$unit" 2>/dev/null; done
for family in inet arp; do
    rules=$(nft list table "$family" "$table" 2>/dev/null) || continue
    printf '%s\\n' "$rules" | systemd-cat -t "$table"
    nft delete table "$family" "$table"
done
! nft list tables | grep -q -w -F -e "$table"
"""
_COUNTED = 'journalctl --sync 2>/dev/null; journalctl -b -q -o cat --no-pager -t "$1"'
ROUTES = """\
for address in "$@" ${SSH_CONNECTION%% *}; do ip -j route get "$address" || exit; done
"""


@dataclass(frozen=True)
class Drop:
    """One kind of packets to lose, in the words of the wire; what is not given matches anything.

    way -- "in": what the node receives; "out": what it sends. Packets that it forwards are both.
    peer, own -- the address at the other end, and at ours. ports, port_of -- TCP ports, and whose.
    protocol -- an IP protocol's number.
    """

    way: Literal["in", "out"]
    peer: str | None = None
    own: str | None = None
    ports: tuple[int, ...] = ()
    port_of: Literal["peer", "own"] = "own"
    protocol: int | None = None

    def words(self) -> str:
        """The match as nft reads it; ValueError for what is no address, port or protocol."""
        theirs, ours = ("s", "d") if self.way == "in" else ("d", "s")
        words = [
            f"{_family(address)} {side}addr {address}"
            for address, side in ((self.peer, theirs), (self.own, ours))
            if address is not None
        ]
        if self.ports:
            if not all(0 < port < 65536 for port in self.ports):
                raise ValueError(f"ports {self.ports}")
            side = theirs if self.port_of == "peer" else ours
            words.append(f"tcp {side}port {{ {', '.join(map(str, self.ports))} }}")
        if self.protocol is not None:
            if not 0 < self.protocol < 256:
                raise ValueError(f"protocol {self.protocol}")
            words.append(f"meta l4proto {self.protocol}")
        return " ".join(words)


def both_ways(**match: object) -> tuple[Drop, Drop]:
    """The same kind of packets, received and sent."""
    return Drop("in", **match), Drop("out", **match)  # type: ignore[arg-type]


def service(ports: Sequence[int], **match: object) -> tuple[Drop, ...]:
    """All packets of a service on TCP ports, whoever of the two ends serves it."""
    return (
        *both_ways(ports=tuple(ports), port_of="own", **match),
        *both_ways(ports=tuple(ports), port_of="peer", **match),
    )


@dataclass(frozen=True)
class Ruleset:
    """All that a node is to lose, as one table (two, where ARP is lost as well).

    arp -- None: ARP passes. An address: nobody learns from us where it is, nor we. "all": no ARP.
    expires_s -- seconds from being put on after which it loses nothing any more, by itself.
    """

    table: str
    links: tuple[str, ...]
    drops: tuple[Drop, ...]
    arp: str | None = None
    expires_s: float | None = None

    def text(self) -> str:
        """What `nft` reads, as one transaction. ValueError for a name or a value that is none."""
        if not _TABLE.fullmatch(self.table):
            raise ValueError(f"table {self.table!r}")
        if not self.links or not all(_LINK.fullmatch(link) for link in self.links):
            raise ValueError(f"links {self.links}")
        tables = [self._table("inet", list(self._inet()))]
        if self.arp is not None:
            tables.append(self._table("arp", list(self._arp(self.arp))))
        return "".join(tables)

    def argv(self) -> tuple[str, ...]:
        """The command that puts it on: all of it or nothing."""
        return ("nft", self.text())

    def _table(self, family: str, rules: list[tuple[str, str]]) -> str:
        hooks = ("prerouting", "postrouting") if family == "inet" else ("input", "output")
        lines = [f"table {family} {self.table} {{", f"    set links {{ {self._links()} }}"]
        for way, hook in zip(("in", "out"), hooks, strict=True):
            lines.append(f"    chain {way} {{")
            lines.append(f"        type filter hook {hook} priority {PRIORITY}; policy accept;")
            lines += [f"        {rule}" for mine, rule in rules if mine == way]
            lines.append("    }")
        return "\n".join([*lines, "}\n"])

    def _links(self) -> str:
        timeout = "" if self.expires_s is None else f" timeout {round(self.expires_s * 1000)}ms"
        flags = " flags timeout;" if timeout else ""
        elements = ", ".join(f'"{link}"{timeout}' for link in self.links)
        return f"type ifname;{flags} elements = {{ {elements} }};"

    def _inet(self) -> Iterator[tuple[str, str]]:
        for drop in self.drops:
            link = "iifname @links" if drop.way == "in" else "oifname @links"
            yield drop.way, " ".join(filter(None, (link, drop.words(), "counter drop")))

    def _arp(self, address: str) -> Iterator[tuple[str, str]]:
        for way, link, side in (("in", "iifname", "d"), ("out", "oifname", "s")):
            match = "" if address == "all" else f"arp {side}addr ip {_ipv4(address)} "
            yield way, f"{link} @links {match}counter drop"


def remove_argv(table: str, *, units: Sequence[str] = ()) -> tuple[str, ...]:
    """Take a table off, after the units that would still put it on were stopped.

    Harmless where there is no such table or unit. Ends with 0 if the table is not there then.
    """
    return ("sh", "-c", _REMOVE, "quorate", table, *units)


LIST_ARGV = ("nft", "list", "tables")


def absent_pattern(table: str) -> str:
    """What the output of LIST_ARGV matches when the table is not in it."""
    return rf"\A(?![\s\S]*\b{re.escape(table)}\b)"


def parse_packets(text: str) -> int:
    """The packets of all counters in an nft listing, summed."""
    return sum(int(count) for count in _PACKETS.findall(text))


class NftablesDriver:
    """What there is on a node, and what it has counted. Changes nothing."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def check(self, node: str) -> None:
        """RefusedError, with the remedy, where nft is missing, is not allowed, or is in use by us.

        TransportError when the node cannot be asked.
        """
        asked = self._transport.run(node, LIST_ARGV, timeout_s=8.0)
        if asked.returncode != 0:
            said = asked.stderr.strip() or f"exit code {asked.returncode}"
            raise RefusedError(
                f"{node}: nft cannot be used ({said}): install the package nftables, log in as root"
            )
        ours = re.findall(r"^table \w+ (quorate_\S+)", asked.stdout, re.MULTILINE)
        if ours:
            raise RefusedError(
                f"{node}: the table {ours[0]} is there. Of this run: a step `undo` must come "
                "first, since packets that it drops would not be counted for another. Of an "
                f"earlier run: `quorate undo` takes it off, or `nft delete table inet {ours[0]}` "
                f"on {node}"
            )

    def links(self, node: str, *, to: Sequence[str]) -> tuple[str, ...]:
        """The interfaces by which the node reaches these addresses and the harness (over ssh).

        RefusedError when there is none but loopback, DriverError when `ip` says no JSON.
        """
        argv = ["sh", "-c", ROUTES, "quorate", *to]
        asked = self._transport.check(node, argv, timeout_s=8.0)
        try:
            devices = [
                route["dev"]
                for line in _json_lists(asked.stdout)
                for route in line
                if "dev" in route
            ]
        except (ValueError, TypeError) as error:
            raise DriverError(f"{node}: `ip -j route get` is not JSON: {error}") from error
        links = tuple(sorted({dev for dev in devices if dev != "lo"}))
        if not links:
            raise RefusedError(f"{node}: no interface leads to {', '.join(to)}")
        return links

    def lost(self, node: str, table: str) -> int | None:
        """How many packets the table has dropped until now; None when it is not there."""
        asked = self._transport.run(node, ["nft", "list", "table", "inet", table], timeout_s=8.0)
        return parse_packets(asked.stdout) if asked.returncode == 0 else None

    def had_lost(self, node: str, table: str) -> int:
        """How many packets a table had dropped when it was taken off, from the node's log."""
        asked = self._transport.run(node, ["sh", "-c", _COUNTED, "quorate", table], timeout_s=8.0)
        return parse_packets(asked.stdout)


def _json_lists(text: str) -> Iterator[list[dict[str, str]]]:
    decoder, rest = json.JSONDecoder(), text.strip()
    while rest:
        value, end = decoder.raw_decode(rest)
        yield value
        rest = rest[end:].strip()


def _family(address: str) -> str:
    return "ip" if ipaddress.ip_address(address).version == 4 else "ip6"


def _ipv4(address: str) -> ipaddress.IPv4Address:
    return ipaddress.IPv4Address(address)
