"""kubelet_at_one_apiserver: whom the kubelet talks to decides, and its kubeconfig stays there."""

from __future__ import annotations

import re

import pytest

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.containers import ContainerDriver
from quorate.harness.drivers.files import FileDriver, covered_argv
from quorate.harness.drivers.kubelet import KUBECONFIG, PEERS_ARGV, SERVER_ARGV, KubeletDriver
from quorate.harness.drivers.processes import TABLE_ARGV, ProcessDriver
from quorate.harness.drivers.workloads import WorkloadDriver
from quorate.harness.errors import RefusedError
from quorate.harness.faults.arrangements.kubelet_at_one_apiserver import KubeletAtOneApiserver
from quorate.harness.faults.contract import Plan
from quorate.harness.run.arranging import AS_IT_IS
from quorate.harness.run.switches import switches_for
from quorate.harness.transport import MemoryTransport, Reply

STAT = Reply("62 (x) S 1 1 1 0 -1 0 1 2 1 1 10 6 28 15 20 0 1 0 150 20299776 2931\n")
BY_VIP, AT_ONE = "192.0.2.100:8443\n192.0.2.9:41000\n", "192.0.2.1:6443\n192.0.2.9:41000\n"
SUBJECT = KubeletAtOneApiserver()


@pytest.fixture(autouse=True)
def kubelet(drivers: Drivers, transport: MemoryTransport) -> MemoryTransport:
    containers, processes = ContainerDriver(transport), ProcessDriver(transport)
    workloads = WorkloadDriver(transport, containers=containers, processes=processes)
    object.__setattr__(drivers, "workloads", workloads)
    object.__setattr__(drivers, "files", FileDriver(transport))
    object.__setattr__(drivers, "kubelet", KubeletDriver(transport))
    transport.on(*covered_argv(KUBECONFIG), reply=Reply("uncovered\n"))
    transport.on(*TABLE_ARGV, reply=STAT)
    transport.on("systemctl", "show", reply=Reply("ActiveState=active\nMainPID=62\nInvocationID=f"))
    transport.on(*SERVER_ARGV, reply=Reply("https://192.0.2.100:8443\n"))
    return transport.on(*PEERS_ARGV, reply=Reply(BY_VIP))


def planned(drivers: Drivers) -> Plan:
    return AS_IT_IS.plan(SUBJECT, drivers=drivers, mark="m-1", holder=None)


def test_it_bites_when_kubelet_talks_to_that_one_and_no_more_to_the_vip(
    drivers: Drivers, kubelet: MemoryTransport
) -> None:
    plan = planned(drivers)
    assert not SUBJECT.proof(drivers, plan=plan).ok
    for said, ok in ((AT_ONE + BY_VIP, False), ("", False), (AT_ONE, True)):
        kubelet.on(*PEERS_ARGV, reply=Reply(said))
        assert SUBJECT.proof(drivers, plan=plan).ok is ok


def test_what_it_does_it_takes_back(drivers: Drivers) -> None:
    plan = planned(drivers)
    (act,), (undo,) = SUBJECT.acts(drivers, plan=plan), SUBJECT.undos(drivers, plan=plan)
    assert act.node == undo.node == "w1"
    assert len(switches_for([undo], plan=plan)) == 1
    assert "https://192.0.2.1:6443" in act.argv[-2]
    assert act.argv[-1] == KUBECONFIG, "what it holds is read and written on the node alone"
    expected = str(undo.confirm_expect)
    assert re.search(expected, BY_VIP, re.MULTILINE)
    for wrong in (AT_ONE, AT_ONE + BY_VIP, "", "192.0.2.9:41000\n"):
        assert not re.search(expected, wrong, re.MULTILINE)


def test_one_that_is_like_that_already_is_refused(
    drivers: Drivers, kubelet: MemoryTransport
) -> None:
    kubelet.on(*SERVER_ARGV, reply=Reply("https://192.0.2.1:6443\n"))
    with pytest.raises(RefusedError, match=r"goes to 192\.0\.2\.1:6443 already"):
        planned(drivers)


def test_a_covered_kubeconfig_is_left_alone(drivers: Drivers, kubelet: MemoryTransport) -> None:
    kubelet.on(*covered_argv(KUBECONFIG), reply=Reply("covered\n"))
    with pytest.raises(RefusedError, match="quorate undo"):
        planned(drivers)
