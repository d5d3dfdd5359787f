"""Reading what a follower says: lines become reports, streams that end are started anew."""

from __future__ import annotations

import json
import queue
import time

import pytest

from quorate.harness.drivers.follower import (
    NodeFollower,
    Report,
    Sink,
    follower_config,
    parse_line,
)
from quorate.harness.model.cluster import Cluster
from quorate.harness.transport import MemoryTransport, Reply
from tests import paper_lab


@pytest.mark.parametrize("line", ["Welcome to Debian", "{", "[]", "3", '{"k": "other"}', "{}"])
def test_what_it_did_not_say_is_passed_over(line: str) -> None:
    assert parse_line(line, node="cp1", t_ns=1) is None


def test_a_fact_keeps_the_time_of_its_receipt() -> None:
    line = json.dumps(
        {"k": "fact", "component": "haproxy_backend", "state": "UP", "good": True, "server": "cp2"}
    )
    report = parse_line(line, node="cp1", t_ns=77)
    assert report == Report(
        77,
        "cp1",
        "fact",
        component="haproxy_backend",
        node="cp1",
        state="UP",
        good=True,
        server="cp2",
    )


def test_a_worker_is_not_asked_for_etcd_or_haproxy(cluster: Cluster) -> None:
    assert set(follower_config(cluster, node=cluster.node("w1"))) == {"virtual_ip", "lifetime_s"}
    full = follower_config(cluster, node=cluster.node("cp1"))
    assert {"etcd", "etcd_clients", "haproxy", "keepalived"} < set(full)


def test_machines_are_asked_for_what_they_run() -> None:
    apart = paper_lab.cluster(paper_lab.APART)
    common = {"virtual_ip", "lifetime_s"}
    for name, more in {
        "cp1": set(),
        "e1": {"etcd", "etcd_clients"},
        "lb2": {"haproxy", "keepalived"},
    }.items():
        assert set(follower_config(apart, node=apart.node(name))) == common | more, name
    by_nginx = paper_lab.cluster(paper_lab.BY_NGINX)
    config = follower_config(by_nginx, node=by_nginx.node("cp2"))
    assert "haproxy" not in config
    assert config["nginx"] == {
        "monitor_url": "http://127.0.0.1:8404/up",
        "through": {"host": "10.77.0.12", "port": 8443},
    }


def test_a_stream_that_ends_is_lost_and_started_again(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("quorate.harness.drivers.follower.RECONNECT_S", 0.001)
    transport = MemoryTransport().on("python3", reply=Reply('{"k": "beat"}\n'))
    sink: Sink = queue.SimpleQueue()
    follower = NodeFollower(cluster.nodes[0], cluster=cluster, transport=transport, sink=sink)
    follower.start()
    kinds = [sink.get(timeout=5).kind for _ in range(4)]
    follower.stop()
    follower.join(5)
    assert kinds == ["beat", "lost", "beat", "lost"]
    stopped = len(transport.calls)
    time.sleep(0.02)
    assert len(transport.calls) == stopped
