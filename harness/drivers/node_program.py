"""The follower: a program that runs on a node and reports each change of a component's state.

Its source is sent over ssh and run by the node's own python3 (>= 3.8), so it is standard library
only and imports nothing of quorate; the harness imports it too, for the parsers. It prints one
JSON object a line and changes nothing on the node. Nothing of it survives its connection: the end
of stdin, a broken pipe or `lifetime_s` ends the process.

Lines:  {"k": "hello", "boot_id": …}   once
        {"k": "beat"}                  every BEAT_S: silence means that the node is unreachable
        {"k": "fact", "component": …, "state": …, "good": true|false|null, ("server": …)}
The times are stamped by the harness at receipt: two machines' clocks are never compared.
"""

from __future__ import annotations

import csv
import http.client
import io
import json
import os
import queue
import socket
import subprocess
import sys
import threading
import time
from typing import Any

BEAT_S = 0.5
AGAIN_BEATS = 4  # beats; the harness has voided all that it knew when four were missed
SAID_ONCE = ("raft_term", "garp")  # each of their lines is an event of its own
HAPROXY_PERIOD_S = 0.15
NGINX_PERIOD_S = 0.15
THROUGH_PERIOD_S = 0.5  # a TLS handshake each time
ETCD_PERIOD_S = 0.35  # /metrics costs etcd a few ms of CPU each time
KEEPALIVED_PERIOD_S = 0.5
TERM_PERIOD_S = 0.5
VIP_RECHECK_S = 1.0
ANSWER_TIMEOUT_S = 0.8
# linux/rtnetlink.h: the groups that announce address changes, one each for IPv4 and IPv6.
RTMGRP_IPV4_IFADDR = 0x10
RTMGRP_IPV6_IFADDR = 0x100
ETH_P_ARP = 0x0806  # linux/if_ether.h


def parse_addresses(text: str) -> set[str]:
    """The addresses of this machine, from `ip -j addr`."""
    return {
        info["local"]
        for link in json.loads(text or "[]")
        for info in link.get("addr_info", [])
        if "local" in info
    }


def parse_stat(text: str) -> list[tuple[str, str, str]]:
    """(server, address, status) of each server in HAProxy's `show stat` CSV (section 9.1 of its
    management guide); FRONTEND and BACKEND rows are left out."""
    rows = csv.DictReader(io.StringIO(text.lstrip("# ")))
    return [
        (row["svname"], row.get("addr") or "", row["status"])
        for row in rows
        if row.get("svname") not in (None, "", "FRONTEND", "BACKEND")
    ]


def server_is_up(status: str) -> bool | None:
    """HAProxy sends traffic to a server whose status starts with UP ("UP 1/2" is one failed
    check of two, still in use); "no check" says nothing."""
    if status.startswith("no check"):
        return None
    return status.startswith("UP")


def parse_raft(text: str) -> dict[str, bool]:
    """Whether this etcd member leads, and whether it knows a leader, from its /metrics."""
    raft = {"leads": False, "has_leader": False}
    for line in text.splitlines():
        if line.startswith("etcd_server_is_leader "):
            raft["leads"] = float(line.split()[1]) == 1
        elif line.startswith("etcd_server_has_leader "):
            raft["has_leader"] = float(line.split()[1]) == 1
    return raft


def parse_term(text: str) -> str:
    """`TERM LEADER` of this member at one instant, from its expvars (etcd, etcdserver/raft.go:
    raft.status); the leader as etcd writes ids, 0: none. The term that etcd's own status call tells
    is of what was applied last, and may be older than the leader that it tells."""
    raft = json.loads(text)["raft.status"]
    return f"{int(raft['term'])} {raft['lead']}"


def parse_announcement(packet: bytes, address: str) -> str | None:
    """The sender's MAC of a gratuitous ARP for an IPv4 address: both of its addresses are that one
    (RFC 5227, section 3); None for any other packet. `packet` begins with the hardware type."""
    if len(packet) < 28 or packet[2:6] != b"\x08\x00\x06\x04":
        return None
    sender, target = packet[14:18], packet[24:28]
    if sender != target or socket.inet_ntoa(sender) != address:
        return None
    return ":".join(f"{byte:02x}" for byte in packet[8:14])


def http_get(url: str, timeout_s: float = ANSWER_TIMEOUT_S) -> tuple[int, str]:
    """(status, body) of a plain http URL; OSError or HTTPException when there is no answer."""
    host, _, path = url.partition("://")[2].partition("/")
    connection = http.client.HTTPConnection(host, timeout=timeout_s)
    try:
        connection.request("GET", "/" + path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode("utf-8", "replace")
    finally:
        connection.close()


def ask_socket(path: str, command: str, timeout_s: float = ANSWER_TIMEOUT_S) -> str:
    """HAProxy's answer on its admin socket; OSError when there is none."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as admin:
        admin.settimeout(timeout_s)
        admin.connect(path)
        admin.sendall(command.encode() + b"\n")
        parts: list[bytes] = []
        while True:
            part = admin.recv(65536)
            if not part:
                return b"".join(parts).decode("utf-8", "replace")
            parts.append(part)


def output_of(argv: list[str], timeout_s: float = 3.0) -> str:
    """What a command prints, whatever its exit code; "" when it hangs."""
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return ""
    return done.stdout.decode("utf-8", "replace")


class Reporter:
    """Collects facts from the watching threads and passes on those that changed."""

    def __init__(self) -> None:
        self.lines: queue.Queue[dict[str, object]] = queue.Queue()
        self._last: dict[tuple[str, object], object] = {}

    def fact(
        self, component: str, state: str, good: bool | None, server: str | None = None
    ) -> None:
        if self._last.get((component, server)) == (state, good):
            return
        self._last[(component, server)] = (state, good)
        line: dict[str, object] = {
            "k": "fact",
            "component": component,
            "state": state,
            "good": good,
        }
        if server is not None:
            line["server"] = server
        self.lines.put(line)

    def say_all_again(self) -> None:
        """Whoever was kept from hearing us holds for unknown what has not changed since."""
        self._last = {key: told for key, told in dict(self._last).items() if key[0] in SAID_ONCE}


def watch_vip(report: Reporter, address: str) -> None:
    """By event: netlink wakes us at each change of an address, `ip -j addr` says what is so."""
    wake = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
    wake.bind((0, RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR))
    wake.settimeout(VIP_RECHECK_S)
    while True:
        held = address in parse_addresses(output_of(["ip", "-j", "addr"]))
        report.fact("vip", "held" if held else "absent", None)
        try:
            wake.recv(65536)
        except socket.timeout:  # noqa: UP041 - an alias of TimeoutError only from 3.10 on
            continue
        except OSError:  # ENOBUFS: events were lost, so look again
            time.sleep(0.05)


def watch_announcements(report: Reporter, address: str) -> None:
    """Who tells the others on this link that the VIP is theirs: each change of the MAC. Two that
    hold it take turns here. Nothing is told of an IPv6 address, or where packets cannot be seen."""
    if ":" in address:
        return
    try:
        wire = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ARP))
    except OSError as error:
        report.fact("garp", "unknown: " + type(error).__name__, None)
        return
    while True:
        try:
            mac = parse_announcement(wire.recv(2048), address)
        except OSError:  # the link went down: the next packet comes when it is up again
            time.sleep(0.05)
            continue
        if mac is not None:
            report.fact("garp", mac, None)


def look_at_haproxy(report: Reporter, config: dict[str, Any]) -> None:
    """One look: its own health, then each server behind it."""
    try:
        status, _ = http_get(str(config["monitor_url"]))
        servers = parse_stat(ask_socket(str(config["stats_socket"]), "show stat -1 4 -1"))
    except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
        report.fact("haproxy", "no answer: " + type(error).__name__, False)
        for name in config["servers"]:
            report.fact("haproxy_backend", "unknown", None, server=name)
        return
    report.fact("haproxy", "up" if status == 200 else f"monitor {status}", status == 200)
    known: dict[str, str] = config["servers"]
    by_address = {address: name for name, address in known.items()}
    for name, address, state in servers:
        if name not in known:
            name = by_address.get(address.rpartition(":")[0], "")
        if name:
            report.fact("haproxy_backend", state, server_is_up(state), server=name)


def look_at_nginx(report: Reporter, url: str) -> None:
    """One look at its own health; it tells nothing of the servers behind it."""
    try:
        status, _ = http_get(url)
        report.fact("nginx", "up" if status == 200 else f"monitor {status}", status == 200)
    except (OSError, http.client.HTTPException, ValueError) as error:
        report.fact("nginx", "no answer: " + type(error).__name__, False)


def ask_through(report: Reporter, config: dict[str, Any]) -> None:
    """One new connection through it: whether the API server that it comes to says that it is ready.
    Who that is the balancer decides, and the certificate is not what is asked."""
    try:
        import ssl  # a small Python may lack it, and all else goes on

        tls = ssl.create_default_context()
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection(
            config["host"], config["port"], timeout=ANSWER_TIMEOUT_S, context=tls
        )
        try:
            connection.request("GET", "/readyz")
            status = connection.getresponse().status
        finally:
            connection.close()
    except (ImportError, OSError, http.client.HTTPException, ValueError) as error:
        report.fact("api_through_nginx", "no answer: " + type(error).__name__, False)
        return
    state = "ready" if status == 200 else f"status {status}"
    report.fact("api_through_nginx", state, status == 200)


def look_at_etcd(report: Reporter, url: str) -> None:
    """One look at this member. /health makes a linearizable read, so it is good only with a
    quorum (etcd server/etcdserver/api/etcdhttp)."""
    try:
        status, body = http_get(url + "/health", timeout_s=2.5)
        report.fact("etcd", "healthy" if status == 200 else body[:120], status == 200)
        raft = parse_raft(http_get(url + "/metrics")[1])
        state = "leads" if raft["leads"] else "follows" if raft["has_leader"] else "no leader"
        report.fact("raft", state, None)
    except (OSError, http.client.HTTPException, ValueError) as error:
        report.fact("etcd", "no answer: " + type(error).__name__, False)
        report.fact("raft", "unknown", None)


NO_TERM = (ImportError, OSError, http.client.HTTPException, ValueError, KeyError, TypeError)


def watch_term(report: Reporter, config: dict[str, Any]) -> None:
    """Term and leader as this member sees them, over one kept connection."""
    connection = None
    while True:
        try:
            if connection is None:
                import ssl  # a small Python may lack it, and all else goes on

                tls = ssl.create_default_context(cafile=config["ca"])
                tls.load_cert_chain(config["certificate"], config["key"])
                connection = http.client.HTTPSConnection(
                    config["address"], timeout=ANSWER_TIMEOUT_S, context=tls
                )
            connection.request("GET", "/debug/vars")
            state = parse_term(connection.getresponse().read().decode("utf-8", "replace"))
        except NO_TERM as error:
            if connection is not None:
                connection.close()
                connection = None
            state = "unknown: " + type(error).__name__
        report.fact("raft_term", state, None)
        time.sleep(TERM_PERIOD_S)


def look_at_unit(report: Reporter, component: str, unit: str) -> None:
    state = output_of(["systemctl", "is-active", unit]).strip() or "no answer"
    report.fact(component, state, state == "active")


def every(period_s: float, look: Any, *arguments: Any) -> None:
    while True:
        look(*arguments)
        time.sleep(period_s)


def start(report: Reporter, config: dict[str, Any]) -> None:
    """One thread for each system, so that one which hangs delays no other."""
    jobs: list[tuple[Any, ...]] = [
        (watch_vip, report, config["virtual_ip"]),
        (watch_announcements, report, config["virtual_ip"]),
    ]
    if config.get("haproxy"):
        jobs.append((every, HAPROXY_PERIOD_S, look_at_haproxy, report, config["haproxy"]))
    if config.get("nginx"):
        nginx = config["nginx"]
        jobs.append((every, NGINX_PERIOD_S, look_at_nginx, report, nginx["monitor_url"]))
        jobs.append((every, THROUGH_PERIOD_S, ask_through, report, nginx["through"]))
    if config.get("etcd"):
        jobs.append((every, ETCD_PERIOD_S, look_at_etcd, report, config["etcd"]))
    if config.get("etcd_clients"):
        jobs.append((watch_term, report, config["etcd_clients"]))
    if config.get("keepalived"):
        jobs.append(
            (every, KEEPALIVED_PERIOD_S, look_at_unit, report, "keepalived", config["keepalived"])
        )
    for function, *arguments in jobs:
        threading.Thread(target=function, args=arguments, daemon=True).start()


def end_with(stream: Any) -> None:
    """The connection to the harness is gone when stdin ends."""
    while stream.read(1):
        pass
    os._exit(0)


def main(config: dict[str, Any]) -> None:
    # A thread that died would leave its last fact standing for ever: end all, be started anew.
    threading.excepthook = lambda _: os._exit(1)
    threading.Timer(float(config["lifetime_s"]), os._exit, [0]).start()
    threading.Thread(target=end_with, args=(sys.stdin.buffer,), daemon=True).start()
    report = Reporter()
    with open("/proc/sys/kernel/random/boot_id") as boot_id:
        report.lines.put({"k": "hello", "boot_id": boot_id.read().strip()})
    start(report, config)
    next_beat, beats = time.monotonic(), 0
    while True:
        try:
            line = report.lines.get(timeout=max(0.0, next_beat - time.monotonic()))
        except queue.Empty:
            line = {"k": "beat"}
            beats += 1
            if beats % AGAIN_BEATS == 0:
                report.say_all_again()
            next_beat = time.monotonic() + BEAT_S
        try:
            sys.stdout.write(json.dumps(line) + "\n")
            sys.stdout.flush()
        except OSError:
            os._exit(0)  # the harness has gone


if __name__ == "__main__":
    main(json.loads(sys.argv[-1]))
