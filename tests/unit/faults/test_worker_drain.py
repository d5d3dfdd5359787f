"""worker_drain against an API in memory: what it refuses, sees, and does not believe."""

from __future__ import annotations

from typing import Any

import pytest

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.kube_api import KubeCommands
from quorate.harness.drivers.kube_command import carry_out
from quorate.harness.errors import DriverError, RefusedError
from quorate.harness.faults.contract import Act, Fault, Plan
from quorate.harness.faults.worker_drain import WorkerDrain
from quorate.harness.model.cluster import Cluster
from quorate.harness.transport.own import KUBE
from tests.memory_api import MemoryServer, budget, pod

DRAIN = {"deadline_s": 1.0, "lose_local_data": False}


@pytest.fixture
def server() -> MemoryServer:
    """Worker w1 with two pods, w2 with none."""
    node = {"metadata": {"name": "w1", "resourceVersion": "1"}, "spec": {}}
    return MemoryServer(dict([pod("a"), pod("b"), ("/api/v1/nodes/w1", node)]))


@pytest.fixture
def drivers(cluster: Cluster, server: MemoryServer) -> Drivers:
    made: Any = Drivers.__new__(Drivers)
    for name, value in {
        "cluster": cluster,
        "api": server.api,
        "kube_commands": KubeCommands(),
    }.items():
        object.__setattr__(made, name, value)
    result: Drivers = made
    return result


def planned(fault: Fault, drivers: Drivers, arguments: dict[str, Any]) -> Plan:
    before = fault.prepare(drivers, nodes=["w1"], arguments=arguments)
    return Plan(f"{fault.name}-1", ("w1",), arguments=arguments, before=before)


def play(acts: list[Act], server: MemoryServer) -> None:
    for act in acts:
        word, verb, *words = act.argv
        assert word == KUBE
        carry_out(server.api, verb, words)


def test_a_drain_bites_and_is_over(drivers: Drivers, server: MemoryServer) -> None:
    fault = WorkerDrain()
    plan = planned(fault, drivers, DRAIN)
    assert not fault.proof(drivers, plan=plan).ok
    play(list(fault.acts(drivers, plan=plan)), server)
    proof = fault.proof(drivers, plan=plan)
    assert proof.ok
    assert proof.facts == {"drained": True, "left": []}
    assert not fault.undone(drivers, plan=plan).ok
    (undo,) = fault.undos(drivers, plan=plan)
    play([Act(undo.node, undo.argv)], server)
    assert fault.undone(drivers, plan=plan).ok
    assert "unschedulable" not in server.objects["/api/v1/nodes/w1"]["spec"]


def test_a_drain_that_a_budget_stops_has_bitten_and_names_it(
    drivers: Drivers, server: MemoryServer
) -> None:
    fault = WorkerDrain()
    server.objects.update([budget("never", allowed=0)])
    server.evictions = {"a": [429], "b": [429]}
    plan = planned(fault, drivers, {**DRAIN, "deadline_s": 0.1})
    play(list(fault.acts(drivers, plan=plan)), server)
    proof = fault.proof(drivers, plan=plan)
    assert proof.ok
    assert proof.facts["drained"] is False
    assert "shop/a is kept by the PodDisruptionBudget shop/never" in proof.evidence


def test_a_late_undo_leaves_a_cordon_that_is_not_its_own(
    drivers: Drivers, server: MemoryServer
) -> None:
    fault = WorkerDrain()
    plan = planned(fault, drivers, DRAIN)
    (undo,) = fault.undos(drivers, plan=plan)
    server.objects["/api/v1/nodes/w1"]["spec"]["unschedulable"] = True
    play([Act(undo.node, undo.argv)], server)
    assert server.objects["/api/v1/nodes/w1"]["spec"]["unschedulable"]
    with pytest.raises(DriverError, match="not by this run"):
        play(list(fault.acts(drivers, plan=plan)), server)


def test_a_cordon_alone_is_no_drain(drivers: Drivers, server: MemoryServer) -> None:
    fault = WorkerDrain()
    plan = planned(fault, drivers, DRAIN)
    play(list(fault.acts(drivers, plan=plan))[:1], server)
    assert not fault.proof(drivers, plan=plan).ok


def test_what_never_was_cordoned_is_not_shown_to_be_over(drivers: Drivers) -> None:
    fault = WorkerDrain()
    assert not fault.undone(drivers, plan=planned(fault, drivers, DRAIN)).ok


def test_a_drain_refuses_what_it_could_not_take_back(
    drivers: Drivers, server: MemoryServer
) -> None:
    fault = WorkerDrain()
    server.objects["/api/v1/nodes/w1"]["spec"]["unschedulable"] = True
    with pytest.raises(RefusedError, match="kubectl uncordon w1"):
        planned(fault, drivers, DRAIN)
    server.objects["/api/v1/nodes/w1"]["spec"] = {}
    server.objects.update([pod("alone", owner=None)])
    with pytest.raises(RefusedError, match="shop/alone, which nothing makes again"):
        planned(fault, drivers, DRAIN)
    with pytest.raises(RefusedError, match="no node named w2"):
        fault.prepare(drivers, nodes=["w2"], arguments=DRAIN)


def test_local_data_goes_only_where_the_experiment_says_so(
    drivers: Drivers, server: MemoryServer
) -> None:
    server.objects["/api/v1/namespaces/shop/pods/a"]["spec"]["volumes"] = [{"emptyDir": {}}]
    with pytest.raises(RefusedError, match="lose_local_data"):
        planned(WorkerDrain(), drivers, DRAIN)
    planned(WorkerDrain(), drivers, {**DRAIN, "lose_local_data": True})


def test_an_empty_node_is_not_drained(drivers: Drivers, server: MemoryServer) -> None:
    server.objects = {path: one for path, one in server.objects.items() if "/pods/" not in path}
    with pytest.raises(RefusedError, match="no pod"):
        planned(WorkerDrain(), drivers, DRAIN)
