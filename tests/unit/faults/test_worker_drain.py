"""worker_drain against an API in memory: what it refuses, sees, and does not believe."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.kubectl import KubectlDriver
from quorate.harness.errors import DriverError, RefusedError
from quorate.harness.faults.contract import Act
from quorate.harness.faults.worker_drain import WorkerDrain
from quorate.harness.model.cluster import Cluster
from quorate.harness.run.switches import switches_for
from quorate.harness.transport import MemoryTransport, Reply
from tests.memory_api import MemoryServer, budget, carry_out_all, drivers_of, planned, pod

DRAIN = {"deadline_s": 1.0, "lose_local_data": False}


@pytest.fixture
def server() -> MemoryServer:
    """Worker w1 with two pods, w2 with none."""
    node = {"metadata": {"name": "w1", "resourceVersion": "1"}, "spec": {}}
    return MemoryServer(dict([pod("a"), pod("b"), ("/api/v1/nodes/w1", node)]))


@pytest.fixture
def drivers(cluster: Cluster, server: MemoryServer) -> Drivers:
    mute = MemoryTransport().on("sh", reply=Reply(returncode=1))
    return drivers_of(cluster, server, kubectl=KubectlDriver(mute, cluster=cluster))


def test_a_drain_bites_and_is_over(drivers: Drivers, server: MemoryServer) -> None:
    fault = WorkerDrain()
    plan = planned(fault, drivers, DRAIN)
    assert not fault.proof(drivers, plan=plan).ok
    carry_out_all(list(fault.acts(drivers, plan=plan)), server)
    proof = fault.proof(drivers, plan=plan)
    assert proof.ok
    assert proof.facts == {"drained": True, "left": []}
    assert not fault.undone(drivers, plan=plan).ok
    (undo,) = fault.undos(drivers, plan=plan)
    carry_out_all([Act(undo.node, undo.argv)], server)
    assert fault.undone(drivers, plan=plan).ok
    assert "unschedulable" not in server.objects["/api/v1/nodes/w1"]["spec"]


def test_a_drain_that_a_budget_stops_has_bitten_and_names_it(
    drivers: Drivers, server: MemoryServer
) -> None:
    fault = WorkerDrain()
    server.objects.update([budget("never", allowed=0)])
    server.evictions = {"a": [429], "b": [429]}
    plan = planned(fault, drivers, {**DRAIN, "deadline_s": 0.1})
    carry_out_all(list(fault.acts(drivers, plan=plan)), server)
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
    carry_out_all([Act(undo.node, undo.argv)], server)
    assert server.objects["/api/v1/nodes/w1"]["spec"]["unschedulable"]
    with pytest.raises(DriverError, match="not by this run"):
        carry_out_all(list(fault.acts(drivers, plan=plan)), server)


def test_a_cordon_alone_is_no_drain(drivers: Drivers, server: MemoryServer) -> None:
    fault = WorkerDrain()
    plan = planned(fault, drivers, DRAIN)
    carry_out_all(list(fault.acts(drivers, plan=plan))[:1], server)
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


def test_a_control_plane_can_uncordon_it_when_nobody_is_left(
    drivers: Drivers, cluster: Cluster
) -> None:
    object.__setattr__(drivers, "kubectl", KubectlDriver(MemoryTransport(), cluster=cluster))
    plan = planned(WorkerDrain(), drivers, DRAIN)
    inside, outside = WorkerDrain().undos(drivers, plan=plan)
    assert (inside.node, outside.node) == ("cp1", "harness")
    (switch,) = switches_for([inside, outside], plan=plan)
    assert switch.arm.node == "cp1"
    assert json.loads(inside.argv[-1])[0]["op"] == "test", "only where the mark is"


def test_the_script_uncordons_what_is_marked_and_nothing_else(
    tmp_path: Path, cluster: Cluster
) -> None:
    """The real script with a kubectl that notes what it is asked."""
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(
        '#!/bin/sh\necho "$*" >> "$NOTES"\ncase "$*" in *" get "*) echo "$SEEN" ;; esac\n'
    )
    kubectl.chmod(0o755)
    argv = KubectlDriver(MemoryTransport(), cluster=cluster).uncordon_argv(
        "w1", by="cp1", mark="quorate-x-1"
    )
    for key, patched in (("quorate/quorate-x-1", True), ("quorate/other", False)):
        notes = tmp_path / f"notes-{patched}"
        path = f"{tmp_path}:/usr/bin:/bin"
        subprocess.run(
            argv,
            env={"PATH": path, "NOTES": str(notes), "SEEN": json.dumps({key: "on"})},
            check=True,
        )
        assert (" patch node w1 " in notes.read_text()) is patched
