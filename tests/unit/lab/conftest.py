"""Plans and hosts to test with: an ordinary host (cgroup v2, systemd) and a confined one."""

from __future__ import annotations

from pathlib import Path

import pytest

from quorate.harness.lab.host import CAPABILITIES
from quorate.harness.lab.plan import LabPlan
from quorate.harness.lab.spec import HostFacts, LabSpec

EVERY_CAPABILITY = tuple(f"CAP_{name}" for name in CAPABILITIES)


@pytest.fixture
def plan() -> LabPlan:
    return LabPlan(LabSpec(), Path("/state/labs/quorate"), Path("/run/quorate/quorate"), "seed")


@pytest.fixture
def ordinary() -> HostFacts:
    """cgroup v2, systemd as PID 1, every capability: most users' machines."""
    config = "/boot/config-6.1"
    return HostFacts(2, True, EVERY_CAPABILITY, config, (("/dev/kmsg", 1, 11),))


@pytest.fixture
def confined() -> HostFacts:
    """cgroup v1, no systemd, no CAP_SYS_RESOURCE: where the lab was first made to work."""
    fewer = tuple(each for each in EVERY_CAPABILITY if each != "CAP_SYS_RESOURCE")
    return HostFacts(1, False, fewer, None, (("/dev/kmsg", 1, 11),))
