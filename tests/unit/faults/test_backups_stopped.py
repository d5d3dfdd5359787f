"""keepalived_backups_stopped: who is a backup, and what could not be taken back."""

from __future__ import annotations

import pytest

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.systemd import SystemdDriver
from quorate.harness.errors import RefusedError
from quorate.harness.faults.arrangements.keepalived_backups_stopped import KeepalivedBackupsStopped
from quorate.harness.faults.contract import Plan
from quorate.harness.model.cluster import Node, Role
from quorate.harness.transport import MemoryTransport, Reply

ACTIVE, INACTIVE = Reply("active\n"), Reply("inactive\n", returncode=3)


@pytest.fixture(autouse=True)
def balancers(drivers: Drivers, transport: MemoryTransport) -> None:
    """lb1 and lb2 are machines of their own; the control planes run no keepalived."""
    mine = [
        Node(name=f"lb{n}", address=f"192.0.2.5{n}", roles=(Role.LOAD_BALANCER,)) for n in (1, 2)
    ]
    planes = [
        node.model_copy(update={"roles": (Role.CONTROL_PLANE,)})
        for node in drivers.cluster.control_planes
    ]
    cluster = drivers.cluster.model_copy(update={"nodes": (*planes, *mine)})
    object.__setattr__(drivers, "cluster", cluster)
    object.__setattr__(drivers, "systemd", SystemdDriver(transport))
    transport.on("systemctl", "is-active", reply=INACTIVE)
    for node in mine:
        transport.on("systemctl", "is-active", reply=ACTIVE, node=node.name)


def test_backups_are_the_other_load_balancers(drivers: Drivers) -> None:
    plan = Plan(KeepalivedBackupsStopped.name, (), vip_holder="lb1")
    assert KeepalivedBackupsStopped().prepare(drivers, arguments={}) == {}
    acts = KeepalivedBackupsStopped().acts(drivers, plan=plan)
    assert [act.node for act in acts] == ["lb2"]
    undos = KeepalivedBackupsStopped().undos(drivers, plan=plan)
    assert [undo.node for undo in undos] == ["lb2"]


def test_one_that_did_not_run_before_is_not_to_be_started(
    drivers: Drivers, transport: MemoryTransport
) -> None:
    transport.on("systemctl", "is-active", reply=INACTIVE, node="lb2")
    with pytest.raises(RefusedError, match="keepalived on lb2 is inactive"):
        KeepalivedBackupsStopped().prepare(drivers, arguments={})
