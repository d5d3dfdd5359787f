"""pod_kill against an API and a node in memory: whom it kills, and what it believes."""

from __future__ import annotations

import pytest

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.containers import ContainerDriver
from quorate.harness.drivers.processes import TABLE_ARGV, ProcessDriver
from quorate.harness.errors import RefusedError
from quorate.harness.faults.coredns_kill import CorednsKill
from quorate.harness.faults.pod_kill import PodKill
from quorate.harness.model.cluster import Cluster
from quorate.harness.transport import MemoryTransport, Reply
from tests.memory_api import MemoryServer, drivers_of, planned, pod

WEB = {"namespace": "shop", "selector": "app=web"}


@pytest.fixture
def server() -> MemoryServer:
    """Worker w1 with two pods, w2 with none."""
    node = {"metadata": {"name": "w1"}, "spec": {}}
    return MemoryServer(dict([pod("a"), pod("b"), ("/api/v1/nodes/w1", node)]))


@pytest.fixture
def drivers(cluster: Cluster, server: MemoryServer) -> Drivers:
    return drivers_of(cluster, server)


def table(*pids: int) -> Reply:
    """/proc/*/stat of processes that all began at tick 77, children of process 1."""
    fields = "S 1 " + "0 " * 17 + "77 0"
    return Reply("".join(f"{pid} (sh) {fields}\n" for pid in pids))


@pytest.fixture
def node(drivers: Drivers) -> MemoryTransport:
    """w1 runs containers a-1 and b-1 as processes 101 and 102."""
    transport = MemoryTransport()
    transport.on("ctr", reply=Reply("TASK PID STATUS\na-1 101 RUNNING\nb-1 102 RUNNING\n"))
    transport.on(*TABLE_ARGV, reply=table(1, 101, 102))
    transport.on("sh", "-c", "command -v crictl || command -v ctr || true", reply=Reply("/ctr\n"))
    object.__setattr__(drivers, "containers", ContainerDriver(transport))
    object.__setattr__(drivers, "processes", ProcessDriver(transport))
    return transport


def test_every_process_of_the_pods_is_killed_and_no_other(
    drivers: Drivers, node: MemoryTransport
) -> None:
    fault = PodKill()
    (act,) = fault.acts(drivers, plan=planned(fault, drivers, WEB))
    assert act.node == "w1"
    assert act.argv[-5:] == ("KILL", "101", "77", "102", "77")


def test_a_kill_is_proved_by_the_processes_and_over_when_pods_are_ready_in_other_containers(
    drivers: Drivers, node: MemoryTransport, server: MemoryServer
) -> None:
    fault = PodKill()
    plan = planned(fault, drivers, WEB)
    assert not fault.proof(drivers, plan=plan).ok
    assert not fault.undone(drivers, plan=plan).ok
    node.on(*TABLE_ARGV, reply=table(1, 102))
    assert not fault.proof(drivers, plan=plan).ok, "one of two still runs"
    node.on(*TABLE_ARGV, reply=table(1, 201, 202))
    assert fault.proof(drivers, plan=plan).ok
    assert not fault.undone(drivers, plan=plan).ok, "kubelet still tells of the old containers"
    for name in ("a", "b"):
        status = server.objects[f"/api/v1/namespaces/shop/pods/{name}"]["status"]
        status["containerStatuses"] = [{"containerID": f"containerd://{name}-2"}]
    assert fault.undone(drivers, plan=plan).ok


def test_a_static_pod_is_no_victim(
    drivers: Drivers, node: MemoryTransport, server: MemoryServer
) -> None:
    meta = server.objects["/api/v1/namespaces/shop/pods/a"]["metadata"]
    meta["annotations"] = {"kubernetes.io/config.mirror": "x"}
    with pytest.raises(RefusedError, match="is a static pod"):
        planned(PodKill(), drivers, WEB)


def test_nothing_to_kill_is_refused(drivers: Drivers, node: MemoryTransport) -> None:
    with pytest.raises(RefusedError, match="k8s-app=kube-dns in kube-system is ready on w1"):
        planned(CorednsKill(), drivers, {})


def test_a_node_without_a_way_to_see_its_containers_is_refused(
    drivers: Drivers, node: MemoryTransport
) -> None:
    node.on("ctr", reply=Reply("TASK PID STATUS\n"))
    with pytest.raises(RefusedError, match="ctr or crictl"):
        planned(PodKill(), drivers, WEB)
