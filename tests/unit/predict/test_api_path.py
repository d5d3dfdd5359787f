"""What faults cost who asks the API: the lab's configuration, and what moves when it is changed.

The VIP is on cp1, etcd is led by cp2, both as `strikes` has them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from quorate.harness.model.touch import Part, Way
from quorate.harness.predict.api_path import api_costs
from quorate.harness.predict.cluster_facts import ClusterFacts, Unpredicted
from quorate.harness.predict.facts import (
    ApiserverFacts,
    EtcdFacts,
    KeepalivedFacts,
    VrrpInstance,
)
from quorate.harness.predict.situation import Asked, Situation
from tests.unit.predict.conftest import CONTROL_PLANES, KEPT, NEW, Strikes, with_backend

SKEW_2 = (256 - 99) / 256


def cost(situation: Situation, facts: ClusterFacts, asked: Asked = NEW) -> tuple[float, float]:
    """[low, high] of the slowest."""
    bounds = [one.bound for one in api_costs(situation, asked, facts)]
    return (
        max((one.low_s for one in bounds), default=0.0),
        max((one.high_s for one in bounds), default=0.0),
    )


def keepalived(facts: ClusterFacts, **changes: Any) -> ClusterFacts:
    """The same with every VRRP instance changed."""

    def changed(one: KeepalivedFacts) -> KeepalivedFacts:
        instances: tuple[VrrpInstance, ...] = tuple(replace(i, **changes) for i in one.instances)
        return replace(one, instances=instances)

    return replace(facts, keepalived={n: changed(one) for n, one in facts.keepalived.items()})


def test_a_holder_without_power(strikes: Strikes, facts: ClusterFacts) -> None:
    gone = strikes(Part.MACHINE, Way.SILENT, "cp1")
    assert cost(gone, facts) == pytest.approx((2 + SKEW_2, 3 + SKEW_2))
    low, high = cost(gone, keepalived(facts, advert_int_s=3.0))
    assert (low, high) == pytest.approx((6 + SKEW_2, 9 + SKEW_2)), "advert_int 3"


def test_a_longer_deadline_lets_a_lost_syn_be_sent_again(
    strikes: Strikes, facts: ClusterFacts
) -> None:
    gone = strikes(Part.VIP, Way.SILENT, "cp1")
    late = replace(NEW, deadline_s=5.0)
    assert cost(gone, facts, late) == pytest.approx((0.0, SKEW_2)), "3 s after the first one"


def test_a_holder_that_leads_may_take_all_servers_down(
    strikes: Strikes, facts: ClusterFacts
) -> None:
    gone = strikes(Part.MACHINE, Way.SILENT, "cp1", etcd_leader="cp1")
    assert cost(gone, facts)[1] == pytest.approx(4.0), "an election of 2.5 s, then a rise of 1.5 s"
    slow = with_backend(facts, server={"fall": 9})
    assert cost(gone, slow)[1] == pytest.approx(3 + SKEW_2), "no server falls so soon"


def test_without_backups_there_is_no_bound(strikes: Strikes, facts: ClusterFacts) -> None:
    gone = strikes(Part.MACHINE, Way.SILENT, "cp1", backups=("cp1",))
    with pytest.raises(Unpredicted, match="no backup"):
        cost(gone, facts)


def test_a_node_that_clients_do_not_need(strikes: Strikes, facts: ClusterFacts) -> None:
    assert api_costs(strikes(Part.MACHINE, Way.SILENT, "w1"), NEW, facts) == []
    assert cost(strikes(Part.MACHINE, Way.SILENT, "cp3"), facts) == (0.0, 0.5)


@pytest.mark.parametrize("way", [Way.ENDED, Way.HUNG, Way.SILENT])
def test_keepalived_that_says_nothing_leaves_the_address(
    strikes: Strikes, facts: ClusterFacts, way: Way
) -> None:
    dropped = strikes(Part.KEEPALIVED, way, "cp1")
    assert cost(dropped, facts) == (0.0, 0.0)
    assert cost(dropped, facts, KEPT) == pytest.approx((0.0, 0.2)), "reset, and made again"


def test_a_goodbye_costs_the_skew(strikes: Strikes, facts: ClusterFacts) -> None:
    assert cost(strikes(Part.KEEPALIVED, Way.LEFT, "cp1"), facts) == pytest.approx((SKEW_2, SKEW_2))
    assert cost(strikes(Part.KEEPALIVED, Way.LEFT, "cp3"), facts) == (0.0, 0.0)


def test_haproxy_that_hangs_or_ends(strikes: Strikes, facts: ClusterFacts) -> None:
    hung = strikes(Part.BALANCER, Way.HUNG, "cp1")
    assert cost(hung, facts) == pytest.approx((1 + SKEW_2, 3 + SKEW_2))
    ended = strikes(Part.BALANCER, Way.ENDED, "cp1")
    assert cost(ended, facts) == pytest.approx((0.1, 2 + SKEW_2)), "systemd or the VIP"
    alone = replace(facts, restarts_s=dict.fromkeys(CONTROL_PLANES))
    assert cost(ended, alone) == pytest.approx((1 + SKEW_2, 2 + SKEW_2))
    assert cost(strikes(Part.BALANCER, Way.HUNG, "cp2"), facts) == (0.0, 0.0)


def test_a_script_that_moves_nothing_leaves_no_bound(strikes: Strikes, facts: ClusterFacts) -> None:
    hung = strikes(Part.BALANCER, Way.HUNG, "cp1")
    with pytest.raises(Unpredicted, match="tracks no script"):
        cost(hung, keepalived(facts, track_scripts=()))
    weighted = {
        node: replace(
            one, scripts={name: replace(s, weight=-20) for name, s in one.scripts.items()}
        )
        for node, one in facts.keepalived.items()
    }
    with pytest.raises(Unpredicted, match="no backup takes the VIP"):
        cost(hung, replace(facts, keepalived=weighted))  # the lab's backups say nopreempt


@pytest.mark.parametrize(
    ("way", "low_s", "high_s"),
    [
        (Way.ENDED, 0.0, 2.5),  # measured on the lab: 0.65 s; refused, then started again
        (Way.SILENT, 0.0, 0.5),  # those that wait when it is marked down
        (Way.HUNG, 0.0, 2.5),  # measured on the lab: 1.40 and 2.15 s
        (Way.LEFT, 0.0, 0.0),  # it serves on for longer than HAProxy needs
    ],
)
def test_an_api_server(
    strikes: Strikes, facts: ClusterFacts, way: Way, low_s: float, high_s: float
) -> None:
    assert cost(strikes(Part.APISERVER, way, "cp3"), facts) == pytest.approx((low_s, high_s))


def test_an_api_server_moves_with_fall_and_inter(strikes: Strikes, facts: ClusterFacts) -> None:
    hung = strikes(Part.APISERVER, Way.HUNG, "cp3")
    assert cost(hung, with_backend(facts, server={"fall": 5}))[1] == pytest.approx(5.5)
    assert cost(hung, with_backend(facts, server={"inter_s": 2.0}))[1] == pytest.approx(3.5)


def test_without_redispatch_new_connections_wait_for_the_checks(
    strikes: Strikes, facts: ClusterFacts
) -> None:
    plain = with_backend(facts, server={}, redispatch=False)
    assert cost(strikes(Part.APISERVER, Way.ENDED, "cp3"), plain)[1] == pytest.approx(2.5)
    assert cost(strikes(Part.APISERVER, Way.SILENT, "cp3"), plain)[1] == pytest.approx(2.5)
    slow = with_backend(facts, server={}, timeout_connect_s=5.0)
    assert cost(strikes(Part.APISERVER, Way.SILENT, "cp3"), slow)[1] == pytest.approx(3.5), (
        "5 s until another server is too late for a deadline of 1 s"
    )


def test_what_no_check_sees_has_no_bound(strikes: Strikes, facts: ClusterFacts) -> None:
    tcp = with_backend(facts, server={"check_ssl": False}, check_path=None)
    with pytest.raises(Unpredicted, match="never left"):
        cost(strikes(Part.APISERVER, Way.HUNG, "cp3"), tcp)
    hasty = {node: ApiserverFacts() for node in CONTROL_PLANES}
    left = strikes(Part.APISERVER, Way.LEFT, "cp3")
    none = with_backend(facts, server={}, redispatch=False)
    assert cost(left, replace(none, apiservers=hasty))[1] == pytest.approx(1.5), "it ends at once"


def test_a_kept_connection_to_a_silent_server(strikes: Strikes, facts: ClusterFacts) -> None:
    isolated = strikes(Part.APISERVER, Way.SILENT, "cp3")
    assert cost(isolated, facts, KEPT) == pytest.approx((0.0, 2.7)), "shutdown-sessions ends it"
    kept = with_backend(facts, server={"shutdown_sessions": False})
    assert cost(isolated, kept, KEPT) == pytest.approx((0.0, 5.2)), "the sampler gives it up"


@pytest.mark.parametrize("way", [Way.ENDED, Way.HUNG, Way.SILENT])
def test_etcd_s_leader(strikes: Strikes, facts: ClusterFacts, way: Way) -> None:
    struck = strikes(Part.ETCD, way, "cp2", lost=["cp2"])
    costs = {(one.component, round(one.bound.high_s, 2)) for one in api_costs(struck, NEW, facts)}
    assert costs == {
        ("etcd_leader", 1.5),  # 2.5 s, less the deadline
        ("haproxy_backend", 4.0),  # should all servers have gone down meanwhile
        ("haproxy_backend", 7.5),  # the server beside the lost member
    }
    slow = replace(facts, etcd={node: EtcdFacts(0.5, 5.0) for node in CONTROL_PLANES})
    assert cost(struck, slow) == pytest.approx((3.5, 12.0)), "an election timeout of 5 s"


def test_etcd_s_follower_costs_no_election(strikes: Strikes, facts: ClusterFacts) -> None:
    struck = strikes(Part.ETCD, Way.HUNG, "cp3", lost=["cp3"])
    assert {one.component for one in api_costs(struck, NEW, facts)} == {"haproxy_backend"}


def test_a_leader_that_hears_too_few_is_one_no_more(strikes: Strikes, facts: ClusterFacts) -> None:
    struck = strikes(Part.ETCD, Way.SILENT, "cp1", lost=[], may_lead=("cp1",))
    assert "etcd_leader" in {one.component for one in api_costs(struck, NEW, facts)}


def test_what_nobody_can_bound(strikes: Strikes, facts: ClusterFacts) -> None:
    lost = strikes(Part.ETCD, Way.SILENT, "cp2", lost=CONTROL_PLANES)
    with pytest.raises(Unpredicted, match="no 2 of 3 etcd members"):
        cost(lost, facts)
    struck = strikes(Part.ETCD, Way.HUNG, "cp2", lost=["cp2"])
    with pytest.raises(Unpredicted, match="who leads etcd is not known"):
        cost(replace(struck, etcd_leader=None), facts)
    several = {
        node: ApiserverFacts(etcd_servers=("https://10.77.0.11:2379", "https://10.77.0.12:2379"))
        for node in CONTROL_PLANES
    }
    with pytest.raises(Unpredicted, match="asks several etcd members"):
        cost(struck, replace(facts, apiservers=several))
    with pytest.raises(Unpredicted, match="no formula for what api_write needs"):
        cost(struck, facts, replace(NEW, probe="api_write"))
    with pytest.raises(Unpredicted, match="no formula for what api_cached_read needs"):
        cost(struck, facts, replace(NEW, probe="api_cached_read"))
    with pytest.raises(Unpredicted, match="how old a watch gets"):
        cost(strikes(Part.APISERVER, Way.HUNG, "cp1"), facts, replace(KEPT, probe="api_watch"))
    with pytest.raises(Unpredicted, match="the path apiserver:cp1"):
        cost(struck, facts, replace(NEW, path="apiserver:cp1"))
    with pytest.raises(Unpredicted, match="who holds the VIP"):
        cost(strikes(Part.MACHINE, Way.SILENT, "cp1", vip_holder=None), facts)


def test_a_dry_run_waits_for_etcd_as_a_quorum_read_does(
    strikes: Strikes, facts: ClusterFacts
) -> None:
    struck = strikes(Part.ETCD, Way.HUNG, "cp2", lost=["cp2"])
    dry_run = replace(NEW, probe="api_dry_run_create")
    assert cost(struck, facts, dry_run) == cost(struck, facts)
    assert cost(struck, facts)[1] > 0


def test_what_could_not_be_read_is_named(strikes: Strikes, facts: ClusterFacts) -> None:
    blind = replace(facts, haproxy={}, unread={"haproxy.cfg of cp1": "cp1: no route"})
    with pytest.raises(Unpredicted, match="cp1: no route"):
        cost(strikes(Part.APISERVER, Way.HUNG, "cp3"), blind)
    assert cost(strikes(Part.KEEPALIVED, Way.LEFT, "cp1"), blind)[1] > 0, "does not need it"


def test_an_orderly_restart_may_add_up(strikes: Strikes, facts: ClusterFacts) -> None:
    (whole,) = api_costs(strikes(Part.MACHINE, Way.LEFT, "cp1"), NEW, facts)
    assert whole.bound.low_s == pytest.approx(SKEW_2)
    assert whole.bound.high_s == pytest.approx((2 + SKEW_2) + 1.5), "HAProxy first, then a server"
    (leading,) = api_costs(strikes(Part.MACHINE, Way.LEFT, "cp1", etcd_leader="cp1"), NEW, facts)
    assert leading.bound.high_s == pytest.approx(whole.bound.high_s + 1.5)
    (other,) = api_costs(strikes(Part.MACHINE, Way.LEFT, "cp3"), NEW, facts)
    assert (other.bound.low_s, other.bound.high_s) == (0.0, 1.5)
    assert api_costs(strikes(Part.MACHINE, Way.LEFT, "w1"), NEW, facts) == []


@pytest.mark.parametrize(
    "part", [Part.BACKEND, Part.SCHEDULER, Part.KUBELET, Part.CONTAINER_RUNTIME, Part.PODS]
)
def test_what_clients_of_the_api_must_not_notice(
    strikes: Strikes, facts: ClusterFacts, part: Part
) -> None:
    assert api_costs(strikes(part, Way.LEFT, "cp1"), NEW, facts) == []
    assert api_costs(strikes(part, Way.LEFT, "cp1"), KEPT, facts) == []
