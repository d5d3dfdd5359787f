"""Kills, pauses and stops over a node on paper: what is planned, and what is believed when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.containers import ContainerDriver
from quorate.harness.drivers.files import FileDriver
from quorate.harness.drivers.haproxy import HAProxyDriver, parse_servers_state, ready_pattern
from quorate.harness.drivers.keepalived import KeepalivedDriver
from quorate.harness.drivers.leases import LeaseDriver
from quorate.harness.drivers.processes import TABLE_ARGV, ProcessDriver
from quorate.harness.drivers.reach import ReachDriver
from quorate.harness.drivers.systemd import SystemdDriver
from quorate.harness.drivers.workloads import WorkloadDriver
from quorate.harness.errors import RefusedError
from quorate.harness.faults.apiserver_stop import ApiserverStop
from quorate.harness.faults.contract import Fault, Plan
from quorate.harness.faults.etcd_kill import EtcdKill
from quorate.harness.faults.etcd_pause import EtcdPause
from quorate.harness.faults.haproxy_drain_backend import HaproxyDrainBackend
from quorate.harness.faults.haproxy_kill import HaproxyKill
from quorate.harness.faults.kubelet_stop import KubeletStop
from quorate.harness.faults.scheduler_kill import SchedulerKill
from quorate.harness.faults.scheduler_pause import SchedulerPause
from quorate.harness.faults.vip_drop import VipDrop
from quorate.harness.model.cluster import Cluster, Node, Role
from quorate.harness.run.switches import switches_for
from quorate.harness.transport import MemoryTransport, Reply

REST = "0 -1 4194560 1 2 1 1 10 6 28 15 20 0 1 0"
NOBODY = "ActiveState=inactive\nMainPID=0\nInvocationID=\n"


def row(pid: int, parent: int, *, state: str = "S", start: int = 100) -> str:
    return f"{pid} (x) {state} {parent} {pid} {pid} {REST} {start} 20299776 2931\n"


class Paper:
    """A node: pid 385 is a container's, pids 61 and 91 are a unit's."""

    def __init__(self) -> None:
        self.transport = MemoryTransport()
        self.table(row(385, 215, start=900), row(61, 1), row(91, 61))
        self.transport.on("sh", "-c", "command -v crictl || command -v ctr || true", reply=CTR)
        self.container("c0ffee")
        self.transport.on("systemctl", "show", reply=Reply(NOBODY))
        self.transport.on("cat", reply=Reply("kind: Pod\n"))

    def table(self, *rows: str) -> None:
        self.transport.on(*TABLE_ARGV, reply=Reply("".join(rows)))

    def container(self, one: str | None, pid: int = 385) -> None:
        self.transport.on("ctr", "-n", "k8s.io", "containers", reply=Reply(one or ""))
        tasks = f"TASK PID STATUS\n{one} {pid} RUNNING\n" if one else "TASK PID STATUS\n"
        self.transport.on("ctr", "-n", "k8s.io", "tasks", reply=Reply(tasks))

    def unit(self, identity: str | None, pid: int = 61) -> None:
        shown = f"ActiveState=active\nMainPID={pid}\nInvocationID={identity}\n"
        self.transport.on("systemctl", "show", reply=Reply(shown if identity else NOBODY))


class Clock:
    """Stands still but for waiting; `then` happens at the first."""

    def __init__(self) -> None:
        self.t = 0.0
        self.then: Callable[[], object] = lambda: None

    def now(self) -> float:
        return self.t

    def sleep(self, seconds: float) -> None:
        self.t += seconds
        self.then()


CTR = Reply("/usr/local/bin/ctr\n")


@pytest.fixture
def paper() -> Paper:
    return Paper()


@pytest.fixture
def drivers(cluster: Cluster, paper: Paper) -> Drivers:
    transport = paper.transport
    made: Any = Drivers.__new__(Drivers)
    clock = Clock()
    containers, processes = ContainerDriver(transport), ProcessDriver(transport)
    for name, value in {
        "cluster": cluster,
        "clock": clock,
        "transport": transport,
        "containers": containers,
        "processes": processes,
        "files": FileDriver(transport),
        "haproxy": HAProxyDriver(transport, cluster=cluster),
        "keepalived": KeepalivedDriver(transport, cluster=cluster),
        "reach": ReachDriver(transport),
        "systemd": SystemdDriver(transport),
        "workloads": WorkloadDriver(transport, containers=containers, processes=processes),
    }.items():
        object.__setattr__(made, name, value)
    result: Drivers = made
    return result


def planned(fault: Fault, drivers: Drivers, **arguments: object) -> Plan:
    before = fault.prepare(drivers, nodes=["cp1"], arguments=arguments)
    return Plan(
        f"{fault.name}-1", ("cp1",), arguments=arguments, before=before, mark="m-1", deadline_s=90
    )


def test_a_kill_is_proved_by_another_container(paper: Paper, drivers: Drivers) -> None:
    plan = planned(EtcdKill(), drivers)
    assert not EtcdKill().proof(drivers, plan=plan).ok
    paper.table(row(385, 215, start=901))
    paper.container("decaf")
    proof = EtcdKill().proof(drivers, plan=plan)
    assert proof.ok
    assert "decaf" in proof.evidence


def test_a_process_that_ended_before_its_container_is_proof_enough(
    paper: Paper, drivers: Drivers
) -> None:
    plan = planned(EtcdKill(), drivers)
    paper.table(row(1, 0))
    paper.container(None)
    assert EtcdKill().proof(drivers, plan=plan).ok


def test_a_kill_is_over_only_when_another_one_runs(paper: Paper, drivers: Drivers) -> None:
    clock: Any = drivers.clock
    plan = planned(EtcdKill(), drivers)
    paper.table(row(1, 0))
    paper.container(None)
    assert not EtcdKill().undone(drivers, plan=plan).ok
    assert clock.t >= 60, "kubelet may be waiting before it starts the next one"

    def started() -> None:
        paper.table(row(386, 215, start=990))
        paper.container("decaf", pid=386)

    clock.then = started
    seen = EtcdKill().undone(drivers, plan=plan)
    assert seen.ok
    assert "decaf" in seen.evidence
    assert clock.t < 70


def test_only_a_unit_is_started_by_us(paper: Paper, drivers: Drivers) -> None:
    assert len(EtcdKill().undos(drivers, plan=planned(EtcdKill(), drivers))) == 1
    paper.unit("feed")
    undos = HaproxyKill().undos(drivers, plan=planned(HaproxyKill(), drivers))
    assert [undo.argv[:2] for undo in undos] == [("systemctl", "start"), ("sh", "-c")]


def test_a_pause_needs_state_t_and_silence(paper: Paper, drivers: Drivers) -> None:
    plan = planned(EtcdPause(), drivers)
    paper.transport.on("curl", reply=Reply(returncode=28))
    assert not EtcdPause().proof(drivers, plan=plan).ok, "silent, but not stopped"
    paper.table(row(385, 215, start=900, state="T"))
    assert EtcdPause().proof(drivers, plan=plan).ok
    paper.transport.on("curl", reply=Reply())
    assert not EtcdPause().proof(drivers, plan=plan).ok, "stopped, and yet it answers"


def test_a_pause_that_never_was_cannot_be_shown_over(paper: Paper, drivers: Drivers) -> None:
    plan = planned(EtcdPause(), drivers)
    assert not EtcdPause().undone(drivers, plan=plan).ok
    paper.transport.on("sh", "-c", "journalctl", reply=Reply())
    log = 'journalctl --sync 2>/dev/null; journalctl -b -q -o cat --no-pager -t "$1"'
    paper.transport.on("sh", "-c", log, reply=Reply("process 385 was stopped\n"))
    assert EtcdPause().undone(drivers, plan=plan).ok
    paper.table(row(385, 215, start=900, state="T"))
    assert not EtcdPause().undone(drivers, plan=plan).ok, "it is still on"


def test_stopping_kubelet_must_not_end_pods(paper: Paper, drivers: Drivers) -> None:
    paper.unit("feed")
    plan = planned(KubeletStop(), drivers)
    paper.unit(None)
    paper.table(row(385, 215, start=900))
    assert KubeletStop().proof(drivers, plan=plan).ok
    paper.table(row(1, 0))
    proof = KubeletStop().proof(drivers, plan=plan)
    assert not proof.ok
    assert "385" in proof.evidence


def test_an_api_server_is_stopped_when_its_port_refuses(paper: Paper, drivers: Drivers) -> None:
    plan = planned(ApiserverStop(), drivers)
    paper.table(row(1, 0))
    paper.container(None)
    paper.transport.on("python3", reply=Reply("silent\n"))
    assert not ApiserverStop().proof(drivers, plan=plan).ok
    paper.transport.on("python3", reply=Reply("refused\n"))
    assert ApiserverStop().proof(drivers, plan=plan).ok


def test_an_api_server_that_is_a_unit_has_no_manifest(paper: Paper, drivers: Drivers) -> None:
    paper.unit("feed")
    with pytest.raises(RefusedError, match="apiserver_kill"):
        planned(ApiserverStop(), drivers)


def test_only_the_holder_can_drop_the_vip(paper: Paper, drivers: Drivers) -> None:
    paper.unit("feed")
    paper.transport.on("ip", reply=Reply("[]"))
    with pytest.raises(RefusedError, match="vip-holder"):
        planned(VipDrop(), drivers, how="kill")


def test_a_keepalived_that_nobody_started_again_is_not_over(paper: Paper, drivers: Drivers) -> None:
    paper.unit("feed")
    paper.transport.on("ip", reply=Reply('[{"addr_info": [{"local": "192.0.2.100"}]}]'))
    plan = planned(VipDrop(), drivers, how="kill")
    paper.table(row(1, 0))
    paper.unit(None)
    seen = VipDrop().undone(drivers, plan=plan)
    assert not seen.ok
    assert "no other start of keepalived" in seen.evidence


def test_the_vip_is_looked_for_on_balancers_of_their_own(paper: Paper, drivers: Drivers) -> None:
    """Load balancers that run no API server: one of them holds the VIP, and one more does."""
    nodes = [
        *(
            node.model_copy(update={"roles": (Role.CONTROL_PLANE,)})
            for node in drivers.cluster.nodes
        ),
        *(Node(name=n, address=a, roles=(Role.LOAD_BALANCER,)) for n, a in BALANCERS),
    ]
    cluster = drivers.cluster.model_copy(update={"nodes": tuple(nodes)})
    object.__setattr__(drivers, "cluster", cluster)
    paper.unit("feed")
    held = Reply('[{"addr_info": [{"local": "192.0.2.100"}]}]')
    paper.transport.on("ip", reply=Reply("[]"))
    paper.transport.on("ip", reply=held, node="lb1")
    before = VipDrop().prepare(drivers, nodes=["lb1"], arguments={"how": "kill"})
    plan = Plan("vip_drop-1", ("lb1",), arguments={"how": "kill"}, before=before, mark="m-1")
    paper.table(row(62, 1, start=300))
    paper.unit("beef", pid=62)
    assert "held by lb1" in VipDrop().undone(drivers, plan=plan).evidence
    paper.transport.on("ip", reply=held, node="lb2")
    both = VipDrop().undone(drivers, plan=plan)
    assert not both.ok
    assert "held by lb1, lb2" in both.evidence


BALANCERS = (("lb1", "192.0.2.51"), ("lb2", "192.0.2.52"))


@pytest.mark.parametrize(("how", "word"), [("stop", "stop"), ("kill", "KILL"), ("pause", "STOP")])
def test_ways_to_drop_the_vip(paper: Paper, drivers: Drivers, how: str, word: str) -> None:
    paper.unit("feed")
    paper.transport.on("ip", reply=Reply('[{"addr_info": [{"local": "192.0.2.100"}]}]'))
    plan = planned(VipDrop(), drivers, how=how)
    (act,) = VipDrop().acts(drivers, plan=plan)
    assert word in act.argv
    assert not VipDrop().proof(drivers, plan=plan).ok


STATE = """\
1
# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight
3 apiservers 1 cp1 192.0.2.1 2 {} 1
3 apiservers 2 cp2 192.0.2.2 2 0 1

"""


def test_a_drain_is_read_back(paper: Paper, drivers: Drivers) -> None:
    paper.transport.on("socat", reply=Reply(STATE.format(0)))
    plan = planned(HaproxyDrainBackend(), drivers)
    assert len(HaproxyDrainBackend().undos(drivers, plan=plan)) == 3
    assert not HaproxyDrainBackend().proof(drivers, plan=plan).ok
    paper.transport.on("socat", reply=Reply(STATE.format(8)))
    assert HaproxyDrainBackend().proof(drivers, plan=plan).ok
    with pytest.raises(RefusedError, match="drained already"):
        planned(HaproxyDrainBackend(), drivers)


def test_in_service_is_what_the_confirmation_asks() -> None:
    import re

    servers = parse_servers_state(STATE.format(0))
    pattern = re.compile(ready_pattern(servers[:1]), re.MULTILINE)
    assert pattern.search(STATE.format(0))
    assert not pattern.search(STATE.format(8))
    assert not pattern.search("")


class Api:
    """An API whose lease is held by whom it is told."""

    def __init__(self) -> None:
        self.holder = "cp1_a"

    def get_json(self, path: str) -> Any:
        assert path.endswith("/kube-system/leases/kube-scheduler")
        return {"spec": {"holderIdentity": self.holder}}


def test_where_it_led_the_lease_must_move(paper: Paper, drivers: Drivers) -> None:
    api: Any = Api()
    object.__setattr__(drivers, "leases", LeaseDriver(api))
    assert drivers.leases.node("kube-scheduler") == "cp1"
    plan = planned(SchedulerKill(), drivers)
    paper.table(row(1, 0))
    paper.container(None)
    proof = SchedulerKill().proof(drivers, plan=plan)
    assert not proof.ok
    assert "cp1_a still holds" in proof.evidence
    api.holder = "cp3_b"
    assert SchedulerKill().proof(drivers, plan=plan).ok


def test_a_standby_that_is_killed_has_no_lease_to_lose(paper: Paper, drivers: Drivers) -> None:
    api: Any = Api()
    api.holder = "cp2_b"
    object.__setattr__(drivers, "leases", LeaseDriver(api))
    plan = planned(SchedulerKill(), drivers)
    paper.table(row(1, 0))
    paper.container(None)
    proof = SchedulerKill().proof(drivers, plan=plan)
    assert proof.ok
    assert "did not lead" in proof.evidence


def test_where_all_are_paused_no_lease_can_move(paper: Paper, drivers: Drivers) -> None:
    api: Any = Api()
    object.__setattr__(drivers, "leases", LeaseDriver(api))
    object.__setattr__(drivers, "processes", Silent(paper.transport))
    nodes = ("cp1", "cp2", "cp3")
    before = SchedulerPause().prepare(drivers, nodes=nodes, arguments={})
    paper.table(row(385, 215, start=900, state="T"))
    for hit, ok in ((nodes, True), (nodes[:2], False)):
        plan = Plan("scheduler_pause-1", hit, before=before, mark="m-1")
        assert SchedulerPause().proof(drivers, plan=plan).ok is ok


class Silent(ProcessDriver):
    """Nothing answers at any health endpoint."""

    def answers(self, node: str, url: str) -> bool | None:
        return False


@pytest.mark.parametrize("fault", [EtcdKill(), EtcdPause(), ApiserverStop()])
def test_every_way_back_has_its_switch(fault: Fault, drivers: Drivers) -> None:
    plan = replace(planned(fault, drivers), deadline_s=90.0)
    undos = fault.undos(drivers, plan=plan)
    assert len(switches_for(undos, plan=plan)) == len(undos)
