"""Arrangements made through the API: a late undo leaves the next run's alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import pytest

from quorate.harness.drivers import coredns, service
from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.kube_command import carry_out
from quorate.harness.faults.catalogue import ARRANGEMENTS
from quorate.harness.faults.contract import Act, Arrangement, Plan
from quorate.harness.model.cluster import Cluster
from quorate.harness.model.undo import Undo
from quorate.harness.run.arranging import Start
from tests.memory_api import MemoryServer, carry_out_all, drivers_of

NAMES = (
    *("service_deployed", "one_replica", "pdb_zero", "one_coredns"),
    *("replicas_on_one_node", "service_without_pre_stop", "webhook_of_one_replica"),
)


@pytest.fixture
def server() -> MemoryServer:
    meta = {"name": "coredns", "namespace": "kube-system", "resourceVersion": "1"}
    deployment = {"metadata": meta, "spec": {"replicas": 2}}
    return MemoryServer({coredns.DEPLOYMENT_PATH: deployment})


@pytest.fixture
def drivers(cluster: Cluster, server: MemoryServer) -> Drivers:
    asked = service.ServiceDriver(cluster, api=server.api)
    return drivers_of(cluster, server, service=asked)


def play(steps: Sequence[Act | Undo], server: MemoryServer) -> None:
    """All but waiting for what controllers do."""
    carry_out_all((step for step in steps if step.argv[1] != "rolled-out"), server)


def is_off(undos: Sequence[Undo], server: MemoryServer) -> bool:
    said = [
        (carry_out(server.api, one.confirm_argv[1], one.confirm_argv[2:]), one.confirm_expect)
        for one in undos
        if one.confirm_argv is not None
    ]
    assert said
    return all(re.search(expect or "", text, re.MULTILINE) for text, expect in said)


def planned(one: Arrangement, drivers: Drivers, mark: str) -> Plan:
    return Start().plan(one, drivers=drivers, mark=mark, holder=None)


@pytest.mark.parametrize("name", NAMES)
def test_a_late_undo_leaves_the_next_run_s_alone(
    name: str, drivers: Drivers, server: MemoryServer
) -> None:
    one = ARRANGEMENTS[name]
    if name not in ("service_deployed", "one_coredns", "webhook_of_one_replica"):
        deployed = ARRANGEMENTS["service_deployed"]
        play(deployed.acts(drivers, plan=planned(deployed, drivers, "0-0-given")), server)
    for each in server.objects.values():
        each["metadata"].setdefault("resourceVersion", "1")
    plan = planned(one, drivers, "1-a-mine")
    later = replace(plan, mark="2-b-theirs")
    mine, theirs = one.undos(drivers, plan=plan), one.undos(drivers, plan=later)
    assert is_off(mine, server)
    play(one.acts(drivers, plan=plan), server)
    assert not is_off(mine, server)
    for path, each in server.objects.items():
        each["metadata"].setdefault("uid", f"uid-{path}")
    play(mine, server)
    assert is_off(mine, server)
    play(one.acts(drivers, plan=later), server)
    put_on = repr(server.objects)
    play(mine, server)
    assert is_off(mine, server), "confirmed, since nothing of ours is on"
    assert repr(server.objects) == put_on
    assert not is_off(theirs, server)
