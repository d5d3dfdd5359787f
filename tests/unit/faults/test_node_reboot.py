"""node_reboot: what is believed of a machine that goes and comes back."""

from __future__ import annotations

import re

import pytest

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.machine import STAYS_UP
from quorate.harness.drivers.power import PowerDriver
from quorate.harness.errors import NodeUnreachable, RefusedError
from quorate.harness.faults.contract import Plan
from quorate.harness.faults.node_reboot import NodeReboot
from quorate.harness.model.cluster import Cluster, Power
from quorate.harness.run.switches import switches_for
from quorate.harness.transport import MemoryTransport, Reply

BEFORE, AFTER = (f"7c92d57c-69f0-45ba-ba27-ce619eeb414{n}" for n in (1, 2))


@pytest.fixture
def booted(drivers: Drivers, transport: MemoryTransport) -> MemoryTransport:
    object.__setattr__(drivers, "power", PowerDriver(drivers.cluster))
    return transport.on("cat", reply=Reply(f"{BEFORE}\n"))


def planned(drivers: Drivers) -> Plan:
    before = NodeReboot().prepare(drivers, nodes=["cp1"], arguments={})
    return Plan("node_reboot-1", ("cp1",), before=before, mark="m-1", deadline_s=90)


def test_it_bites_when_ssh_is_gone_or_another_boot_answers(
    drivers: Drivers, booted: MemoryTransport
) -> None:
    plan, fault = planned(drivers), NodeReboot()
    assert not fault.proof(drivers, plan=plan).ok
    gone = NodeUnreachable("cp1", argv=["true"], problem="no route to host")
    booted.on("true", reply=Reply(error=gone))
    assert fault.proof(drivers, plan=plan).ok
    booted.on("true", reply=Reply()).on("cat", reply=Reply(f"{AFTER}\n"))
    assert fault.proof(drivers, plan=plan).ok


def test_it_is_over_when_another_boot_answers(drivers: Drivers, booted: MemoryTransport) -> None:
    plan, fault = planned(drivers), NodeReboot()
    assert not fault.undone(drivers, plan=plan).ok
    booted.on("cat", reply=Reply(f"{AFTER}\n"))
    assert fault.undone(drivers, plan=plan).ok


def test_a_machine_that_does_not_answer_is_not_restarted(
    drivers: Drivers, booted: MemoryTransport
) -> None:
    booted.on("cat", reply=Reply(returncode=255))
    with pytest.raises(RefusedError, match="does not answer over ssh"):
        planned(drivers)


def test_the_power_switch_is_asked_where_there_is_one(
    drivers: Drivers, booted: MemoryTransport, cluster: Cluster
) -> None:
    argvs = []
    for power in (None, Power(command=("switch", "{action}", "{node}"))):
        known = cluster.model_copy(update={"power": power})
        object.__setattr__(drivers, "power", PowerDriver(known))
        (undo,) = NodeReboot().undos(drivers, plan=planned(drivers))
        assert undo.confirm_node == "cp1"
        assert not switches_for([undo], plan=planned(drivers)), "nothing could go off there"
        argvs.append(undo.argv)
    assert argvs == [("true",), ("@power", "on", "cp1")]


@pytest.mark.parametrize(
    ("said", "up"), [("running", True), ("degraded", True), ("starting", True),
                     ("stopping", False), ("offline", False), ("", False)]
)  # fmt: skip
def test_an_answer_of_a_machine_that_goes_down_confirms_nothing(said: str, up: bool) -> None:
    assert bool(re.search(STAYS_UP, f"{said}\n", re.MULTILINE)) is up
