"""Names and addresses: every lab is whole in itself and no two machines are the same."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from quorate.harness.lab.plan import VIP_ADDRESS, LabPlan, cgroup_path
from quorate.harness.lab.spec import CONTROL_PLANE_COUNTS, WORKER_COUNTS, LabSpec


def _plan(
    control_planes: int = 3, workers: int = 3, *, name: str = "a", seed: str = "s"
) -> LabPlan:
    spec = LabSpec(name, control_planes, workers)
    return LabPlan(spec, Path("/state") / name, Path("/run/quorate") / name, seed)


@pytest.mark.parametrize(
    ("control_planes", "workers"),
    list(itertools.product(CONTROL_PLANE_COUNTS, WORKER_COUNTS)),
)
def test_every_size_gives_distinct_machines(control_planes: int, workers: int) -> None:
    plan = _plan(control_planes, workers)
    nodes = plan.nodes
    assert len(nodes) == control_planes + workers
    for values in (
        [each.name for each in nodes],
        [each.address for each in nodes] + [VIP_ADDRESS],
        [each.mac for each in nodes],
        [each.pod_cidr for each in nodes],
    ):
        assert len(set(values)) == len(values)
    priorities = [each.priority for each in plan.control_planes]
    assert len(set(priorities)) == len(priorities), "equal priorities make the take-over a race"
    assert all(0 < priority < 255 for priority in priorities)


def test_two_labs_share_no_path_no_container_and_no_cgroup() -> None:
    first, second = _plan(name="a"), _plan(name="b")
    for one, other in zip(first.nodes, second.nodes, strict=True):
        assert first.container(one.name) != second.container(other.name)
        assert first.namespace(one.name) != second.namespace(other.name)
        assert first.node_home(one.name) != second.node_home(other.name)
        for systemd in (True, False):
            assert cgroup_path(first, one.name, systemd=systemd) != cgroup_path(
                second, other.name, systemd=systemd
            )


def test_secrets_differ_by_seed_and_by_purpose() -> None:
    assert _plan().secret("token", 16) == _plan().secret("token", 16)
    assert _plan().secret("token", 16) != _plan(seed="other").secret("token", 16)
    assert _plan().secret("token", 16) != _plan().secret("certificate key", 16)
