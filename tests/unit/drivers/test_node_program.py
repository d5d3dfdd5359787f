"""The follower on a node: its parsers, and the program as a node runs it."""

from __future__ import annotations

import http.server
import json
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from quorate.harness.drivers import node_program
from quorate.harness.drivers.follower import PROGRAM, follower_argv, parse_line
from quorate.harness.lab import etcd_pki
from quorate.harness.lab.plan import LabPlan
from quorate.harness.lab.spec import LabSpec
from quorate.harness.model.cluster import Cluster

STAT = """\
# pxname,svname,qcur,status,addr
apiservers,FRONTEND,,OPEN,
apiservers,cp1,0,UP,10.0.0.1:6443
apiservers,cp2,0,DOWN 1/2,10.0.0.2:6443
apiservers,BACKEND,0,UP,
"""


def test_only_servers_are_read_from_show_stat() -> None:
    assert node_program.parse_stat(STAT) == [
        ("cp1", "10.0.0.1:6443", "UP"),
        ("cp2", "10.0.0.2:6443", "DOWN 1/2"),
    ]


@pytest.mark.parametrize(
    ("status", "good"),
    [("UP", True), ("UP 1/2", True), ("DOWN", False), ("DOWN 1/2", False), ("MAINT", False)],
)
def test_a_server_is_used_while_it_is_up(status: str, good: bool) -> None:
    assert node_program.server_is_up(status) is good


def test_a_server_without_a_check_says_nothing() -> None:
    assert node_program.server_is_up("no check") is None


def test_addresses_of_all_links_and_families() -> None:
    links = [
        {"addr_info": [{"local": "10.0.0.1"}, {"local": "fe80::1"}]},
        {"addr_info": []},
        {"addr_info": [{"broadcast": "10.0.0.255"}]},
    ]
    assert node_program.parse_addresses(json.dumps(links)) == {"10.0.0.1", "fe80::1"}


@pytest.mark.parametrize(
    ("metrics", "leads", "has_leader"),
    [
        ("etcd_server_has_leader 1\netcd_server_is_leader 1\n", True, True),
        ("etcd_server_has_leader 1\netcd_server_is_leader 0\n", False, True),
        ("# HELP etcd_server_is_leader 1\n", False, False),
    ],
)
def test_raft_from_metrics(metrics: str, leads: bool, has_leader: bool) -> None:
    assert node_program.parse_raft(metrics) == {"leads": leads, "has_leader": has_leader}


def test_term_and_leader_from_the_expvars() -> None:
    raft = {"id": "a1", "term": 7, "vote": "b2", "lead": "b2", "raftState": "StateFollower"}
    told = json.dumps({"cmdline": ["etcd"], "raft.status": raft})
    assert node_program.parse_term(told) == "7 b2"


@pytest.mark.parametrize("told", ["", "{}", '{"raft.status": null}', '{"raft.status": {}}'])
def test_expvars_without_a_term(told: str) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        node_program.parse_term(told)


def arp(sender: str, target: str, *, kind: str = "0001080006040001") -> bytes:
    mac, nobody = bytes.fromhex("02000a4d000b"), bytes(6)
    return bytes.fromhex(kind) + mac + socket.inet_aton(sender) + nobody + socket.inet_aton(target)


def test_an_announcement_names_who_has_the_address() -> None:
    vip, other = "10.77.0.100", "10.77.0.11"
    padded = arp(vip, vip) + bytes(18)
    for packet in (arp(vip, vip), arp(vip, vip, kind="0001080006040002"), padded):
        assert node_program.parse_announcement(packet, vip) == "02:00:0a:4d:00:0b"
    questions = (arp(other, vip), arp(vip, other), arp(other, other), arp(vip, vip)[:27], b"")
    for packet in (*questions, arp(vip, vip, kind="0001080006060001")):
        assert node_program.parse_announcement(packet, vip) is None


def test_only_changes_are_reported() -> None:
    reporter = node_program.Reporter()
    for state in ("up", "up", "down"):
        reporter.fact("haproxy", state, state == "up")
    reporter.fact("haproxy_backend", "UP", True, server="cp1")
    lines = [reporter.lines.get_nowait() for _ in range(reporter.lines.qsize())]
    assert [(line["component"], line["state"]) for line in lines] == [
        ("haproxy", "up"),
        ("haproxy", "down"),
        ("haproxy_backend", "UP"),
    ]


def test_what_has_not_changed_is_said_again_to_whoever_did_not_hear() -> None:
    reporter = node_program.Reporter()
    for _ in range(2):
        reporter.fact("haproxy", "up", True)
        reporter.fact("raft_term", "7 b2", None)
        reporter.say_all_again()
    lines = [reporter.lines.get_nowait() for _ in range(reporter.lines.qsize())]
    assert [line["component"] for line in lines] == ["haproxy", "raft_term", "haproxy"]


def test_a_silent_haproxy_makes_its_backends_unknown() -> None:
    reporter = node_program.Reporter()
    config = {
        "monitor_url": "http://127.0.0.1:1/up",
        "stats_socket": "/nonexistent",
        "servers": {"cp1": "10.0.0.1"},
    }
    node_program.look_at_haproxy(reporter, config)
    lines = [reporter.lines.get_nowait() for _ in range(reporter.lines.qsize())]
    assert [(line["component"], line["good"]) for line in lines] == [
        ("haproxy", False),
        ("haproxy_backend", None),
    ]


class Ready(http.server.BaseHTTPRequestHandler):
    """Answers with `status` to /readyz and /up, and with 404 to anything else."""

    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status if self.path in ("/readyz", "/up") else 404)
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The port of a server with TLS, by an authority that nobody knows."""
    plan = LabPlan(LabSpec(etcd="external"), tmp_path, tmp_path, "seed")
    made = {one.path.rpartition("/")[2]: one.content for one in etcd_pki.make(plan)["e1"]}
    for name in ("server.crt", "server.key"):
        (tmp_path / name).write_text(made[name])
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "server.crt", tmp_path / "server.key")
    monkeypatch.setattr(Ready, "status", 200)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Ready) as server:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def told(reporter: node_program.Reporter) -> list[tuple[object, object, object]]:
    lines = [reporter.lines.get_nowait() for _ in range(reporter.lines.qsize())]
    return [(line["component"], line["state"], line["good"]) for line in lines]


def test_a_question_through_nginx_is_good_where_an_api_server_is_ready(
    api: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    reporter, through = node_program.Reporter(), {"host": "127.0.0.1", "port": api}
    node_program.ask_through(reporter, through)
    monkeypatch.setattr(Ready, "status", 500)
    node_program.ask_through(reporter, through)
    node_program.ask_through(reporter, {"host": "127.0.0.1", "port": 1})
    assert told(reporter) == [
        ("api_through_nginx", "ready", True),
        ("api_through_nginx", "status 500", False),
        ("api_through_nginx", "no answer: ConnectionRefusedError", False),
    ]


def test_nginx_is_asked_for_its_own_health(monkeypatch: pytest.MonkeyPatch) -> None:
    reporter = node_program.Reporter()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Ready) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        base = f"http://127.0.0.1:{server.server_address[1]}"
        node_program.look_at_nginx(reporter, f"{base}/up")
        node_program.look_at_nginx(reporter, f"{base}/elsewhere")
        server.shutdown()
        thread.join()
    node_program.look_at_nginx(reporter, "http://127.0.0.1:1/up")
    assert told(reporter) == [
        ("nginx", "up", True),
        ("nginx", "monitor 404", False),
        ("nginx", "no answer: ConnectionRefusedError", False),
    ]


def test_the_program_says_hello_and_ends_with_its_stdin(cluster: Cluster) -> None:
    """As ssh starts it: the program on stdin, which stays open behind it."""
    command = [sys.executable, *follower_argv(cluster, node=cluster.nodes[0])[1:]]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(PROGRAM)
        process.stdin.flush()
        first = parse_line(process.stdout.readline().decode(), node="cp1", t_ns=5)
        assert first is not None
        assert (first.kind, first.t_ns) == ("hello", 5)
        assert len(first.state) == 36, "the boot id"
        process.stdin.close()
        assert process.wait(timeout=10) == 0


def test_the_program_compiles_for_an_old_python() -> None:
    """No syntax newer than 3.8's."""
    import ast

    ast.parse(PROGRAM, feature_version=(3, 8))
