"""Drivers over a transport that only records."""

from __future__ import annotations

from typing import Any

import pytest

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.etcd import EtcdDriver
from quorate.harness.drivers.haproxy import HAProxyDriver
from quorate.harness.drivers.keepalived import KeepalivedDriver
from quorate.harness.drivers.machine import MachineDriver
from quorate.harness.drivers.nftables import NftablesDriver
from quorate.harness.drivers.reach import ReachDriver
from quorate.harness.model.cluster import Cluster
from quorate.harness.transport import MemoryTransport


@pytest.fixture
def transport() -> MemoryTransport:
    return MemoryTransport()


@pytest.fixture
def drivers(cluster: Cluster, transport: MemoryTransport) -> Drivers:
    made: Any = Drivers.__new__(Drivers)
    for name, value in {
        "cluster": cluster,
        "transport": transport,
        "etcd": EtcdDriver(transport),
        "haproxy": HAProxyDriver(transport, cluster=cluster),
        "keepalived": KeepalivedDriver(transport, cluster=cluster),
        "machine": MachineDriver(transport),
        "nftables": NftablesDriver(transport),
        "reach": ReachDriver(transport),
    }.items():
        object.__setattr__(made, name, value)
    result: Drivers = made
    return result
