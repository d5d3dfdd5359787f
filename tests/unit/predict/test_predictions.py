"""Numbers of reference/timings_and_slos.md, from the configuration that gives them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from quorate.harness.predict.facts import (
    EtcdFacts,
    HaproxyBackend,
    HaproxyFacts,
    HaproxyServer,
    KeepalivedFacts,
    VrrpInstance,
)
from quorate.harness.predict.formulas import (
    etcd_election,
    haproxy_marks_down,
    haproxy_marks_up,
    vrrp_takeover,
)
from quorate.harness.predict.outage import ClusterFacts, Touched, predict_outage

VIP = "10.0.0.9"
INSTANCE = VrrpInstance("api", virtual_addresses=(f"{VIP}/32",))
SERVER = HaproxyServer("cp1", "10.0.0.11", 6443, check=True)
BACKEND = HaproxyBackend("apiservers", (), timeout_connect_s=5.0)


@pytest.mark.parametrize(
    ("change", "low_s", "high_s"),
    [
        ({}, 2.61, 3.61),  # §1.1 L1: p=100, adv 1 s
        ({"priority": 128}, 2.5, 3.5),  # keepalived.conf(5)'s own example: 3.5 s
        ({"version": 3, "advert_int_s": 0.1}, 0.26, 0.36),  # §1.1 L1, v3
        ({"down_timer_adverts": 2}, 1.61, 2.61),
    ],
)
def test_vrrp_takeover(change: dict[str, float], low_s: float, high_s: float) -> None:
    bound = vrrp_takeover((replace(INSTANCE, **change),))  # type: ignore[arg-type]
    assert bound is not None
    assert (bound.low_s, bound.high_s) == pytest.approx((low_s, high_s), abs=0.01)


def test_the_backup_with_the_shortest_timer_takes_over() -> None:
    weaker, stronger = replace(INSTANCE, priority=99), replace(INSTANCE, priority=200)
    assert vrrp_takeover((weaker, stronger)) == vrrp_takeover((stronger,))
    assert vrrp_takeover(()) is None


@pytest.mark.parametrize(
    ("server", "backend", "silent", "low_s", "high_s"),
    [
        (SERVER, BACKEND, False, 4.0, 6.0),  # §1.1 L4: inter 2, fall 3, refused at once
        (SERVER, BACKEND, True, 10.0, 12.0),  # each check lasts inter, the next begins inter later
        (replace(SERVER, inter_s=1.0, fastinter_s=0.5, fall=2),
         replace(BACKEND, timeout_connect_s=2.0, timeout_check_s=1.0), True, 2.5, 3.5),  # the lab
        (replace(SERVER, inter_s=3.0), replace(BACKEND, timeout_connect_s=1.0, timeout_check_s=1.0),
         True, 9.0, 12.0),
    ],
)  # fmt: skip
def test_haproxy_marks_down(
    server: HaproxyServer, backend: HaproxyBackend, silent: bool, low_s: float, high_s: float
) -> None:
    bound = haproxy_marks_down(server, backend, silent=silent)
    assert bound is not None
    assert (bound.low_s, bound.high_s) == pytest.approx((low_s, high_s))


def test_an_unchecked_server_is_never_marked() -> None:
    unchecked = replace(SERVER, check=False)
    assert haproxy_marks_down(unchecked, BACKEND, silent=True) is None
    assert haproxy_marks_up(unchecked) is None


def test_haproxy_marks_up_and_etcd_election() -> None:
    up = haproxy_marks_up(SERVER)
    assert up is not None
    assert (up.low_s, up.high_s) == (2.0, 4.0)  # §1.1 L4: rise · inter = 2 to 4 s
    election = etcd_election(EtcdFacts())
    assert election.low_s <= 0.91  # §1.2 E1: 0.91 to 1.90 s, and reads ask again after 0.5 s
    assert 1.9 <= election.high_s <= 2.5


def cluster(*, backups: bool = True, server: HaproxyServer = SERVER) -> ClusterFacts:
    nodes = ("cp1", "cp2", "cp3") if backups else ("cp1",)
    backend = replace(BACKEND, servers=(server,), timeout_connect_s=2.0, timeout_check_s=1.0)
    haproxy = HaproxyFacts({"apiservers": backend}, {8443: "apiservers"})
    return ClusterFacts(
        virtual_address=VIP,
        port=8443,
        keepalived={node: KeepalivedFacts((INSTANCE,)) for node in nodes},
        haproxy=dict.fromkeys(nodes, haproxy),
    )


QUICK = replace(SERVER, inter_s=1.0, fastinter_s=0.5, fall=2)
HOLDER = Touched("cp1", "10.0.0.11", holds_vip=True, leads_etcd=False)


def test_the_slowest_component_bounds_the_whole() -> None:
    whole, *parts = predict_outage(HOLDER, facts=cluster(server=QUICK))
    assert whole.component is None
    assert (whole.low_s, whole.high_s) == pytest.approx((2.61, 3.61), abs=0.01)
    assert [part.component for part in parts] == ["vip", "haproxy_backend"]
    slow = predict_outage(HOLDER, facts=cluster())[0]
    assert (slow.low_s, slow.high_s) == (10.0, 12.0)
    assert set(whole.to_event()) == {"what", "component", "low_s", "high_s", "formula"}


def test_a_leader_adds_its_election_and_the_rise_where_checks_are_quicker() -> None:
    leader = replace(HOLDER, leads_etcd=True)
    parts = [one.component for one in predict_outage(leader, facts=cluster(server=QUICK))]
    assert parts == [None, "vip", "haproxy_backend", "etcd_leader"]
    hasty = replace(QUICK, inter_s=0.5, fall=1)
    found = {one.component: one for one in predict_outage(leader, facts=cluster(server=hasty))}
    after = found["haproxy_backend after etcd_leader"]
    assert after.high_s > found["etcd_leader"].high_s
    assert found[None].high_s == max(one.high_s for name, one in found.items() if name)


def test_without_backups_there_is_no_bound() -> None:
    predictions = predict_outage(HOLDER, facts=cluster(backups=False))
    assert [one for one in predictions if one.component is None] == []


def test_a_node_that_does_nothing_costs_nothing() -> None:
    idle = Touched("w1", "10.0.0.21", holds_vip=False, leads_etcd=False, has_apiserver=False)
    assert predict_outage(idle, facts=cluster()) == ()
