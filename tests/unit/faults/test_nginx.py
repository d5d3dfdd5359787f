"""nginx_kill and nginx_pause over a lab on paper that balances by Nginx."""

from __future__ import annotations

import pytest

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.processes import TABLE_ARGV
from quorate.harness.faults.contract import Fault, Plan
from quorate.harness.faults.nginx_kill import NginxKill
from quorate.harness.faults.nginx_pause import NginxPause
from quorate.harness.model.cluster import Nginx
from quorate.harness.transport import Reply
from tests import paper_lab
from tests.paper_lab import PaperNodes

MONITOR = "http://127.0.0.1:9000/self"
NEXT = paper_lab.UNIT_SHOWN.replace("feed", "beef").replace("62", "99")
"""The unit after another start."""


@pytest.fixture
def nodes() -> PaperNodes:
    return paper_lab.transport(paper_lab.BY_NGINX)


@pytest.fixture
def drivers(nodes: PaperNodes) -> Drivers:
    """Its monitor is elsewhere than the lab's, and than HAProxy's would be."""
    made = paper_lab.drivers(nodes=nodes, plan=paper_lab.BY_NGINX)
    monitor = Nginx(monitor_port=9000, monitor_uri="/self")
    object.__setattr__(made, "cluster", made.cluster.model_copy(update={"nginx": monitor}))
    return made


def planned(fault: Fault, drivers: Drivers) -> Plan:
    before = fault.prepare(drivers, nodes=["cp1"], arguments={})
    return Plan(f"{fault.name}-1", ("cp1",), before=before, mark="quorate-1")


def test_one_that_is_stopped_must_be_silent_at_its_own_monitor(
    drivers: Drivers, nodes: PaperNodes
) -> None:
    fault = NginxPause()
    plan = planned(fault, drivers)
    nodes.on(*TABLE_ARGV, reply=Reply(paper_lab.TABLE.replace(" S ", " T ")))
    asked = ("curl", "-sk", "-o", "/dev/null", "-m", "1.5", MONITOR)
    nodes.on(*asked, reply=Reply())
    assert fault.proof(drivers, plan=plan).evidence == f"nginx on cp1 still answers at {MONITOR}"
    nodes.on(*asked, reply=Reply(returncode=28))
    assert fault.proof(drivers, plan=plan).ok


def test_the_unit_that_was_killed_is_started_and_must_be_another_start(
    drivers: Drivers, nodes: PaperNodes
) -> None:
    fault = NginxKill()
    plan = planned(fault, drivers)
    start, _ = fault.undos(drivers, plan=plan)
    assert (start.node, start.text) == ("cp1", "start nginx on cp1")
    assert not fault.proof(drivers, plan=plan).ok
    nodes.on(*TABLE_ARGV, reply=Reply(paper_lab.TABLE.replace("62 (", "99 (")))
    asked = (*paper_lab.SHOW_UNIT, "nginx.service")
    nodes.on(*asked, reply=Reply(NEXT))
    assert (
        "unit beef of nginx (pid 99) runs on cp1 instead"
        in fault.proof(drivers, plan=plan).evidence
    )
