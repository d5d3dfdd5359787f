"""Numbers of reference/timings_and_slos.md, from the configuration that gives them, and how each
bound moves with its timers."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

import pytest

from quorate.harness.model.touch import Way
from quorate.harness.predict.balancing import (
    haproxy_leaves_without_etcd,
    haproxy_marks_down,
    haproxy_marks_up,
    tries_another_after_s,
)
from quorate.harness.predict.facts import (
    ElectionFacts,
    EtcdFacts,
    HaproxyBackend,
    HaproxyServer,
    KubeletFacts,
    LifecycleFacts,
    VrrpInstance,
    VrrpScript,
)
from quorate.harness.predict.formulas import (
    Bound,
    etcd_election,
    lease_takeover,
    node_given_up,
    vrrp_gives_up,
    vrrp_goodbye,
    vrrp_takeover,
    widest,
)

INSTANCE = VrrpInstance("api", virtual_addresses=("10.0.0.9/32",))
SERVER = HaproxyServer("cp1", "10.0.0.11", 6443, check=True)
BACKEND = HaproxyBackend("apiservers", (), check_path="/readyz", timeout_connect_s=5.0)
KUBEADM_SCRIPT = VrrpScript("check", interval_s=3.0, fall=10, weight=-2)


def draws(count: int = 200) -> Iterator[random.Random]:
    """Numbers that chance picks, the same ones each time."""
    return (random.Random(seed) for seed in range(count))


def known(bound: Bound | None) -> Bound:
    assert bound is not None
    assert 0 <= bound.low_s <= bound.high_s
    assert bound.formula
    return bound


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
    bound = known(vrrp_takeover((replace(INSTANCE, **change),)))  # type: ignore[arg-type]
    assert (bound.low_s, bound.high_s) == pytest.approx((low_s, high_s), abs=0.01)


def test_the_backup_with_the_shortest_timer_takes_over() -> None:
    weaker, stronger = replace(INSTANCE, priority=99), replace(INSTANCE, priority=200)
    assert vrrp_takeover((weaker, stronger)) == vrrp_takeover((stronger,))
    assert vrrp_goodbye((weaker, stronger)) == vrrp_goodbye((stronger,))
    assert vrrp_takeover(()) is None
    assert vrrp_goodbye(()) is None


def test_a_goodbye_costs_the_skew_alone() -> None:
    assert known(vrrp_goodbye((INSTANCE,))).high_s == pytest.approx(0.61, abs=0.01)  # §1.1 L2
    quick = replace(INSTANCE, version=3, advert_int_s=0.1)
    assert known(vrrp_goodbye((quick,))).high_s == pytest.approx(0.06, abs=0.01)


def test_takeover_moves_with_advert_int() -> None:
    for chance in draws():
        advert_s = chance.uniform(0.05, 10)
        priority = chance.randrange(1, 255)
        slow = replace(INSTANCE, advert_int_s=advert_s, priority=priority)
        bound = known(vrrp_takeover((slow,)))
        slower = known(vrrp_takeover((replace(slow, advert_int_s=2 * advert_s),)))
        assert slower.high_s == pytest.approx(bound.high_s + 3 * advert_s)
        assert slower.low_s == pytest.approx(bound.low_s + 2 * advert_s)


def gives_up(script: VrrpScript, *, hung: bool = False, **holder: int) -> Bound | None:
    return vrrp_gives_up(
        script,
        holder=replace(INSTANCE, priority=101, **holder),  # type: ignore[arg-type]
        backups=(INSTANCE,),
        hung=hung,
    )


def test_the_script_of_kubeadm_s_guide_takes_half_a_minute() -> None:
    bound = known(gives_up(KUBEADM_SCRIPT))
    assert (bound.low_s, bound.high_s) == pytest.approx((29.6, 33.6), abs=0.1)  # §1.1 L3


def test_a_script_without_weight_says_goodbye() -> None:
    bound = known(gives_up(VrrpScript("check", interval_s=1.0, fall=2)))
    assert (bound.low_s, bound.high_s) == pytest.approx((1.61, 2.61), abs=0.01)
    hung = known(gives_up(VrrpScript("check", interval_s=1.0, fall=2, timeout_s=0.5), hung=True))
    assert (hung.low_s, hung.high_s) == pytest.approx((1.61, 3.11), abs=0.01)


def test_a_weight_that_is_too_small_or_a_nopreempt_moves_nothing() -> None:
    assert gives_up(replace(KUBEADM_SCRIPT, weight=-1)) is None
    stays = replace(INSTANCE, nopreempt=True)
    holder = replace(INSTANCE, priority=101)
    assert vrrp_gives_up(KUBEADM_SCRIPT, holder=holder, backups=(stays,), hung=False) is None


def test_giving_up_moves_with_fall_and_interval() -> None:
    for chance in draws():
        script = VrrpScript(
            "check", interval_s=chance.uniform(0.5, 20), fall=chance.randrange(1, 12)
        )
        bound = known(gives_up(script))
        more = known(gives_up(replace(script, fall=script.fall + 1)))
        assert more.high_s - bound.high_s == pytest.approx(script.interval_s)
        assert known(gives_up(script, hung=True)).high_s > bound.high_s


@pytest.mark.parametrize(
    ("server", "backend", "way", "low_s", "high_s"),
    [
        (SERVER, BACKEND, Way.ENDED, 4.0, 12.0),  # inter 2, fall 3: refused at once, then listening
        (SERVER, BACKEND, Way.LEFT, 4.0, 6.0),  # §1.1 L4; it says that it is not ready
        (SERVER, BACKEND, Way.SILENT, 10.0, 12.0),  # each lasts inter, the next begins inter later
        (SERVER, BACKEND, Way.HUNG, 10.0, 12.0),
        (replace(SERVER, inter_s=1.0, fastinter_s=0.5, fall=2),
         replace(BACKEND, timeout_connect_s=2.0, timeout_check_s=1.0), Way.SILENT, 2.5, 3.5),
        (replace(SERVER, inter_s=3.0), replace(BACKEND, timeout_connect_s=1.0, timeout_check_s=1.0),
         Way.SILENT, 9.0, 12.0),
        (replace(SERVER, inter_s=3.0), replace(BACKEND, timeout_connect_s=1.0, timeout_check_s=2.0),
         Way.HUNG, 12.0, 15.0),
        (replace(SERVER, inter_s=3.0, check_ssl=True),
         replace(BACKEND, timeout_connect_s=1.0, timeout_check_s=2.0), Way.HUNG, 9.0, 12.0),
    ],
)  # fmt: skip
def test_haproxy_marks_down(
    server: HaproxyServer, backend: HaproxyBackend, way: Way, low_s: float, high_s: float
) -> None:
    bound = known(haproxy_marks_down(server, backend, way=way))
    assert (bound.low_s, bound.high_s) == pytest.approx((low_s, high_s))


def test_what_a_check_cannot_see() -> None:
    unchecked = replace(SERVER, check=False)
    assert haproxy_marks_down(unchecked, BACKEND, way=Way.ENDED) is None
    assert haproxy_marks_up(unchecked) is None
    tcp = replace(BACKEND, check_path=None)
    assert haproxy_marks_down(SERVER, tcp, way=Way.HUNG) is None, "the kernel accepts for it"
    assert haproxy_marks_down(SERVER, tcp, way=Way.ENDED) is None, "once it is started again"
    assert haproxy_marks_down(SERVER, tcp, way=Way.LEFT) is None
    assert haproxy_marks_down(SERVER, tcp, way=Way.SILENT) is not None
    health = replace(BACKEND, check_path="/healthz")
    assert haproxy_marks_down(SERVER, health, way=Way.LEFT) is None, "only /readyz tells"
    assert haproxy_leaves_without_etcd(SERVER, tcp, etcd_check_s=2.0) is None
    assert haproxy_leaves_without_etcd(SERVER, health, etcd_check_s=2.0) is not None


def test_checks_move_with_inter_and_fall() -> None:
    for chance in draws():
        server = replace(
            SERVER,
            inter_s=chance.uniform(0.1, 10),
            fastinter_s=chance.choice([None, chance.uniform(0.1, 5)]),
            fall=chance.randrange(1, 10),
        )
        backend = replace(BACKEND, timeout_check_s=chance.choice([None, chance.uniform(0.1, 5)]))
        for way in Way:
            bound = known(haproxy_marks_down(server, backend, way=way))
            hung = known(haproxy_marks_down(server, backend, way=Way.HUNG))
            if way is Way.ENDED:  # it refuses at first, and is started again
                assert bound.high_s == pytest.approx(hung.high_s)
            else:
                assert bound.high_s - bound.low_s == pytest.approx(server.inter_s)
            more = known(
                haproxy_marks_down(replace(server, fall=server.fall + 1), backend, way=way)
            )
            assert more.low_s > bound.low_s
        etcd = known(haproxy_leaves_without_etcd(server, backend, etcd_check_s=2.0))
        at_once = known(haproxy_marks_down(server, backend, way=Way.LEFT))
        assert etcd.high_s > at_once.high_s, "etcd is asked before the checks fail"


@pytest.mark.parametrize(
    ("change", "refused_s", "silent_s"),
    [
        ({"redispatch": True, "redispatch_after": 1}, 0.0, 5.0),
        ({"redispatch": True}, 2.0, 15.0),  # the last of three retries; a second before each
        ({"redispatch": True, "retries": 1}, 0.0, 5.0),
        ({"redispatch": True, "retries": 0}, None, None),
        ({"redispatch": True, "redispatch_after": 0}, None, None),
        ({"redispatch": True, "redispatch_after": -3}, 0.0, 5.0),
        ({}, None, None),
    ],
)
def test_when_another_server_is_tried(
    change: dict[str, int], refused_s: float | None, silent_s: float | None
) -> None:
    backend = replace(BACKEND, **change)  # type: ignore[arg-type]
    assert tries_another_after_s(backend, way=Way.ENDED) == refused_s
    assert tries_another_after_s(backend, way=Way.SILENT) == silent_s


def test_haproxy_marks_up_and_etcd_election() -> None:
    up = known(haproxy_marks_up(SERVER))
    assert (up.low_s, up.high_s) == (2.0, 4.0)  # §1.1 L4: rise · inter = 2 to 4 s
    election = etcd_election(EtcdFacts())
    assert election.low_s <= 0.91  # §1.2 E1: 0.91 to 1.90 s, and reads ask again after 0.5 s
    assert 1.9 <= election.high_s <= 2.5


def test_an_election_moves_with_its_timeout() -> None:
    for chance in draws():
        facts = EtcdFacts(chance.uniform(0.01, 0.5), chance.uniform(0.5, 10))
        slower = replace(facts, election_s=facts.election_s + 1)
        bound, more = etcd_election(facts), etcd_election(slower)
        assert more.low_s == pytest.approx(bound.low_s + 1)
        assert more.high_s == pytest.approx(bound.high_s + 2)


@pytest.mark.parametrize(
    ("lease_s", "retry_s", "low_s", "high_s", "covers"),
    [
        (15.0, 2.0, 13.0, 23.8, (13.1, 21.7)),  # §1.3 C1, by Monte Carlo
        (5.0, 1.0, 4.0, 9.4, (4.0, 8.4)),
    ],
)
def test_a_lease_is_taken_over(
    lease_s: float, retry_s: float, low_s: float, high_s: float, covers: tuple[float, float]
) -> None:
    standbys = {"cp2": ElectionFacts(retry_s=retry_s)}
    bound = known(lease_takeover(lease_s, standbys=standbys))
    assert (bound.low_s, bound.high_s) == pytest.approx((low_s, high_s))
    assert bound.low_s <= covers[0] <= covers[1] <= bound.high_s


def test_without_a_standby_that_elects_nobody_takes_over() -> None:
    assert lease_takeover(15.0, standbys={}) is None
    assert lease_takeover(15.0, standbys={"cp2": ElectionFacts(elects=False)}) is None


def test_a_takeover_moves_with_the_lease() -> None:
    for chance in draws():
        lease_s, retry_s = chance.uniform(4, 60), chance.uniform(0.5, 3)
        standbys = {"cp2": ElectionFacts(retry_s=retry_s)}
        bound = known(lease_takeover(lease_s, standbys=standbys))
        longer = known(lease_takeover(lease_s + 1, standbys=standbys))
        assert longer.low_s == pytest.approx(bound.low_s + 1)
        assert longer.high_s == pytest.approx(bound.high_s + 1)


@pytest.mark.parametrize(
    ("lifecycle", "kubelet", "low_s", "high_s"),
    [
        (LifecycleFacts(50.0), KubeletFacts(), 40.0, 55.0),  # §1.4 W1 from 1.32 on
        (LifecycleFacts(40.0), KubeletFacts(), 30.0, 45.0),
        (LifecycleFacts(20.0, monitor_s=2.0), KubeletFacts(report_s=4.0), 16.0, 22.0),  # kubespray
    ],
)
def test_a_node_is_given_up(
    lifecycle: LifecycleFacts, kubelet: KubeletFacts, low_s: float, high_s: float
) -> None:
    bound = known(node_given_up(lifecycle, kubelet))
    assert (bound.low_s, bound.high_s) == (low_s, high_s)
    assert node_given_up(LifecycleFacts(None), kubelet) is None


def test_the_widest_of_several_holds_for_each() -> None:
    for chance in draws():
        bounds = [
            Bound(low := chance.uniform(0, 5), low + chance.uniform(0, 5), f"{low}")
            for _ in range(chance.randrange(1, 5))
        ]
        wide = known(widest(bounds))
        assert all(wide.low_s <= one.low_s and one.high_s <= wide.high_s for one in bounds)
    assert widest([]) is None
