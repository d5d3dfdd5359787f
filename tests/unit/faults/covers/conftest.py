"""Load balancers in health, whose files can be covered."""

from __future__ import annotations

from typing import Any

import pytest

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.containers import ContainerDriver
from quorate.harness.drivers.files import FileDriver, covered_argv
from quorate.harness.drivers.haproxy import CONFIGURATION
from quorate.harness.drivers.keepalived import DUMP_ARGV
from quorate.harness.drivers.processes import TABLE_ARGV, ProcessDriver
from quorate.harness.drivers.workloads import WorkloadDriver
from quorate.harness.transport import MemoryTransport, Reply
from tests.unit.faults.covers.worse import (
    CFG,
    CONF,
    DUMP,
    NODES,
    SERVERS,
    STAT,
    haproxy_says,
)


@pytest.fixture
def drivers(drivers: Drivers, transport: MemoryTransport) -> Drivers:
    containers, processes = ContainerDriver(transport), ProcessDriver(transport)
    transport.on(*covered_argv(CONFIGURATION), reply=Reply("uncovered\n"))
    transport.on(*TABLE_ARGV, reply=STAT)
    transport.on("systemctl", "show", reply=Reply("ActiveState=active\nMainPID=62\nInvocationID=f"))
    made: dict[str, Any] = {
        "containers": containers,
        "processes": processes,
        "files": FileDriver(transport),
        "workloads": WorkloadDriver(transport, containers=containers, processes=processes),
    }
    for name, value in made.items():
        object.__setattr__(drivers, name, value)
    return drivers


@pytest.fixture
def haproxy(drivers: Drivers, transport: MemoryTransport) -> MemoryTransport:
    transport.on("cat", CONFIGURATION, reply=Reply(CFG))
    transport.on("socat", reply=SERVERS)
    haproxy_says(transport, drivers, "UP", "L7OK")
    return transport


@pytest.fixture
def keepalived(drivers: Drivers, transport: MemoryTransport) -> MemoryTransport:
    path = "/etc/keepalived/keepalived.conf"
    transport.on(*covered_argv(path), reply=Reply("uncovered\n"))
    for node, priority in zip(NODES, (101, 102, 103), strict=True):
        transport.on("cat", path, reply=Reply(CONF % priority), node=node)
        transport.on(*DUMP_ARGV, reply=Reply(DUMP.format(1, priority, 1)), node=node)
    return transport
