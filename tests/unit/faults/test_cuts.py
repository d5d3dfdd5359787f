"""Faults that lose packets: what goes on which node, and what is taken for a proof."""

from __future__ import annotations

import pytest

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.errors import NodeUnreachable, RefusedError
from quorate.harness.faults.apiserver_isolate import ApiserverIsolate
from quorate.harness.faults.contract import Plan
from quorate.harness.faults.cuts.cut import Cut
from quorate.harness.faults.etcd_isolate import EtcdIsolate
from quorate.harness.faults.etcd_partition import EtcdPartition
from quorate.harness.faults.etcd_quorum_loss import EtcdQuorumLoss, enough
from quorate.harness.faults.node_isolate import NodeIsolate
from quorate.harness.faults.vip_isolate import VipIsolate
from quorate.harness.faults.vrrp_block import VrrpBlock
from quorate.harness.model.cluster import Cluster
from quorate.harness.transport import MemoryTransport, Reply

BOOT_ID = "7c92d57c-69f0-45ba-ba27-ce619eeb414e"
REBOOTED = "11111111-69f0-45ba-ba27-ce619eeb414e"
GONE = Reply(error=NodeUnreachable("cp1", argv=["x"], problem="no route"))
DROPPED = Reply("  iifname @links counter packets 7 bytes 420 drop\n")
NO_TABLE = Reply(returncode=1, stderr="No such file or directory")
LEADS = Reply("etcd_server_is_leader 1\netcd_server_has_leader 1\n")
FOLLOWS = Reply("etcd_server_is_leader 0\netcd_server_has_leader 1\n")
LOST = Reply("etcd_server_is_leader 0\netcd_server_has_leader 0\n")
VIP_THERE = Reply('[{"addr_info": [{"local": "192.0.2.100"}]}]')
CUTS = (
    NodeIsolate(),
    ApiserverIsolate(),
    EtcdIsolate(),
    EtcdPartition(),
    EtcdQuorumLoss(),
    VrrpBlock(),
    VipIsolate(),
)
each_cut = pytest.mark.parametrize("fault", CUTS, ids=[fault.name for fault in CUTS])


@pytest.fixture
def transport() -> MemoryTransport:
    """A healthy cluster: cp1 holds the VIP and leads."""
    transport = MemoryTransport().on("sh", reply=Reply('[{"dev": "eth0"}]\n'))
    transport.on("nft", "list", "table", reply=NO_TABLE)
    transport.on("ip", reply=Reply("[]")).on("ip", reply=VIP_THERE, node="cp1")
    transport.on("curl", reply=FOLLOWS).on("curl", reply=LEADS, node="cp1")
    transport.on("python3", reply=Reply("connected\n"))
    transport.on("cat", "/proc/sys/kernel/random/boot_id", reply=Reply(f"{BOOT_ID}\n"))
    for n in (1, 2, 3):
        url = f"--initial-advertise-peer-urls=https://192.0.2.{n}:2380\n"
        transport.on("cat", "/etc/kubernetes/manifests/etcd.yaml", reply=Reply(url), node=f"cp{n}")
    return transport


def planned(fault: Cut, drivers: Drivers, **arguments: str) -> Plan:
    before = fault.prepare(drivers, nodes=["cp1"], arguments=arguments)
    return Plan(
        f"{fault.name}-1",
        ("cp1",),
        arguments=arguments,
        before=before,
        mark="130101-ab12-x-1",
        deadline_s=40.0,
        vip_holder="cp1",
    )


@each_cut
def test_every_node_that_loses_something_has_a_way_back(fault: Cut, drivers: Drivers) -> None:
    plan = planned(fault, drivers)
    undos, acts = fault.undos(drivers, plan=plan), fault.acts(drivers, plan=plan)
    assert [undo.node for undo in undos] == [act.node for act in acts] != []
    assert all(plan.word in undo.argv for undo in undos)
    assert all(f"table inet {plan.word} {{" in act.argv[-1] for act in acts)


@each_cut
def test_a_healthy_cluster_proves_nothing(fault: Cut, drivers: Drivers) -> None:
    plan = planned(fault, drivers)
    assert not fault.proof(drivers, plan=plan).ok
    assert not fault.undone(drivers, plan=plan).ok


@each_cut
def test_rules_that_drop_nothing_prove_nothing(
    fault: Cut, drivers: Drivers, transport: MemoryTransport
) -> None:
    plan = planned(fault, drivers)
    transport.on("nft", "list", "table", reply=Reply("counter packets 0 bytes 0 drop"))
    assert not fault.proof(drivers, plan=plan).ok


@each_cut
def test_dropped_packets_alone_prove_nothing(
    fault: Cut, drivers: Drivers, transport: MemoryTransport
) -> None:
    plan = planned(fault, drivers)
    transport.on("nft", "list", "table", reply=DROPPED)
    assert not fault.proof(drivers, plan=plan).ok, "and yet everything answers as before"


@each_cut
def test_off_is_shown_by_what_the_table_had_counted(
    fault: Cut, drivers: Drivers, transport: MemoryTransport
) -> None:
    plan = planned(fault, drivers)
    transport.on("sh", reply=DROPPED)
    off = fault.undone(drivers, plan=plan)
    assert off.ok
    assert "7 packets" in off.evidence
    transport.on("nft", "list", "table", reply=DROPPED)
    assert not fault.undone(drivers, plan=plan).ok, "the table is still there"


def test_a_reboot_takes_every_rule_off(drivers: Drivers, transport: MemoryTransport) -> None:
    plan = planned(EtcdIsolate(), drivers)
    transport.on("cat", reply=Reply(f"{REBOOTED}\n"))
    off = EtcdIsolate().undone(drivers, plan=plan)
    assert off.ok
    assert "rebooted" in off.evidence


def test_the_proofs_of_each(drivers: Drivers, transport: MemoryTransport) -> None:
    api, etcd, vrrp, vip = ApiserverIsolate(), EtcdIsolate(), VrrpBlock(), VipIsolate()
    plans = {fault: planned(fault, drivers) for fault in (api, etcd, vrrp, vip)}
    transport.on("nft", "list", "table", reply=DROPPED)
    transport.on("curl", reply=LOST, node="cp1")
    assert not etcd.proof(drivers, plan=plans[etcd]).ok, "nobody else leads yet"
    transport.on("curl", reply=LEADS, node="cp3")
    assert etcd.proof(drivers, plan=plans[etcd]).evidence == (
        "the member on cp1 has no leader, the member on cp3 leads; 7 packets dropped on cp1"
    )
    transport.on("python3", reply=Reply("refused\n"))
    assert not api.proof(drivers, plan=plans[api]).ok, "what refuses is not a black hole"
    assert not vip.proof(drivers, plan=plans[vip]).ok
    transport.on("python3", reply=Reply("silent\n"))
    assert api.proof(drivers, plan=plans[api]).ok
    assert vip.proof(drivers, plan=plans[vip]).ok
    transport.on("ip", reply=VIP_THERE, node="cp2")
    assert "cp1, cp2" in vrrp.proof(drivers, plan=plans[vrrp]).evidence


def test_an_isolated_node_frees_itself(drivers: Drivers) -> None:
    fault = NodeIsolate()
    plan = planned(fault, drivers)
    (act,), (undo,) = fault.acts(drivers, plan=plan), fault.undos(drivers, plan=plan)
    assert act.argv[0] == "systemd-run", "the command must end before its connection is cut"
    assert f"--unit={plan.unit}-act" in act.argv
    assert 'elements = { "eth0" timeout 40000ms }' in act.argv[-1]
    assert undo.argv[-2:] == (f"{plan.unit}-act.timer", f"{plan.unit}-act.service")
    assert undo.confirm_timeout_s > plan.deadline_s


def test_an_isolated_node_is_looked_for_from_another(
    drivers: Drivers, transport: MemoryTransport
) -> None:
    plan = planned(NodeIsolate(), drivers)
    transport.on("true", reply=GONE, node="cp1")
    assert not NodeIsolate().proof(drivers, plan=plan).ok, "cp2 still reaches it"
    transport.on("python3", reply=Reply("no route\n"))
    assert not NodeIsolate().proof(drivers, plan=plan).ok, "nobody has taken the VIP over"
    transport.on("ip", reply=VIP_THERE, node="cp3")
    assert "cp3 holds the VIP now" in NodeIsolate().proof(drivers, plan=plan).evidence


@pytest.mark.parametrize(
    ("way", "nodes"), [("both", ["cp1", "cp2", "cp3"]), ("out", ["cp2", "cp3"]), ("in", ["cp1"])]
)
def test_who_drops_in_a_partition(way: str, nodes: list[str], drivers: Drivers) -> None:
    plan = planned(EtcdPartition(), drivers, groups="alone", way=way)
    acts = EtcdPartition().acts(drivers, plan=plan)
    assert [act.node for act in acts] == nodes
    assert all("ip saddr 192.0.2.1 " in act.argv[-1] for act in acts if act.node != "cp1")


def test_groups_by_name(drivers: Drivers) -> None:
    plan = planned(EtcdPartition(), drivers, groups="cp3 | cp1 cp2")
    rules = {one.node: one.argv[-1] for one in EtcdPartition().acts(drivers, plan=plan)}
    assert sorted(rules) == ["cp1", "cp2", "cp3"]
    assert "192.0.2.2" not in rules["cp1"]
    assert "192.0.2.3" in rules["cp1"]


def test_groups_that_are_none_are_refused(drivers: Drivers) -> None:
    for groups in ("cp1", "cp1 | cp2", "cp1 | w1 cp2 cp3"):
        with pytest.raises(RefusedError, match=r"every member|two groups"):
            planned(EtcdPartition(), drivers, groups=groups)


def test_members_lost_count_for_the_quorum(cluster: Cluster) -> None:
    parted, none = EtcdPartition(), EtcdQuorumLoss()
    assert list(parted.members_lost(cluster, nodes=["cp2"], arguments={})) == ["cp2"]
    bridge = {"groups": "bridge"}
    assert not parted.members_lost(cluster, nodes=["cp2"], arguments=bridge)
    each = {"groups": "cp1 | cp2 | cp3"}
    assert list(parted.members_lost(cluster, nodes=["cp2"], arguments=each)) == [
        "cp1",
        "cp2",
        "cp3",
    ]
    assert list(none.members_lost(cluster, nodes=["cp2"], arguments={})) == ["cp1", "cp2", "cp3"]


def test_as_few_members_as_it_takes() -> None:
    assert enough(["a"], first=["a"]) == ["a"]
    assert enough(["a", "b", "c"], first=["b"]) == ["b", "a"]
    assert enough(["a", "b", "c", "d"], first=["b"]) == ["b", "a"]
    assert enough(["a", "b", "c", "d", "e"], first=["e"]) == ["e", "a", "b"]


def test_quorum_is_lost_when_every_member_says_so(
    drivers: Drivers, transport: MemoryTransport
) -> None:
    plan = planned(EtcdQuorumLoss(), drivers)
    transport.on("nft", "list", "table", reply=DROPPED)
    transport.on("curl", reply=LOST, node="cp1").on("curl", reply=LOST, node="cp2")
    assert not EtcdQuorumLoss().proof(drivers, plan=plan).ok
    transport.on("curl", reply=LOST, node="cp3")
    assert EtcdQuorumLoss().proof(drivers, plan=plan).ok


@pytest.mark.parametrize("fault", [ApiserverIsolate(), EtcdIsolate(), VrrpBlock(), VipIsolate()])
def test_a_worker_has_none_of_it(fault: Cut, drivers: Drivers) -> None:
    with pytest.raises(RefusedError, match="w1"):
        fault.prepare(drivers, nodes=["w1"], arguments={})
