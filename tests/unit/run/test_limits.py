"""What may be broken at once: faults add up by who still talks with whom, not by their number."""

from __future__ import annotations

from typing import Any

import pytest

from quorate.harness.errors import RefusedError
from quorate.harness.faults.catalogue import FAULTS, parameters_of
from quorate.harness.model.cluster import Cluster, Limits
from quorate.harness.run.limits import Down, Placed, arithmetic_of, check_together


@pytest.fixture
def wide(cluster: Cluster) -> Cluster:
    """Any number of nodes at once, so that only quorum and API servers speak against it."""
    return cluster.model_copy(update={"limits": Limits(nodes_at_once=9)})


def placed(name: str, *nodes: str, **arguments: Any) -> Placed:
    defaults = {one.name: one.default for one in parameters_of(name) if one.default is not ...}
    return Placed(FAULTS[name], nodes, {**defaults, **arguments})


def test_a_bridge_bears_the_loss_of_an_end_but_not_of_its_hub(wide: Cluster) -> None:
    bridge = placed("etcd_partition", "cp1", groups="bridge")
    check_together([bridge], cluster=wide)
    check_together([bridge, placed("etcd_pause", "cp3")], cluster=wide)
    with pytest.raises(RefusedError, match=r"cp1 down and cp2 from cp3 cut off leaves 1 of 3"):
        check_together([bridge, placed("etcd_pause", "cp1")], cluster=wide)


def test_two_partitions_add_up(wide: Cluster) -> None:
    five = [*wide.nodes, *(_member(wide, number) for number in (4, 5))]
    larger = wide.model_copy(update={"nodes": tuple(five)})
    groups = ("cp1 cp2 | cp3 cp4 cp5", "cp1 cp3 | cp2 cp4 cp5")
    parted = [placed("etcd_partition", "cp1", groups=one) for one in groups]
    check_together(parted[:1], cluster=larger)
    check_together(parted[1:], cluster=larger)
    with pytest.raises(RefusedError, match=r"leaves 2 of 5 etcd members, quorum needs 3"):
        check_together(parted, cluster=larger)


def _member(cluster: Cluster, number: int) -> Any:
    first = cluster.nodes[0]
    return first.model_copy(update={"name": f"cp{number}", "address": f"192.0.2.{number}"})


@pytest.mark.parametrize(
    "lost",
    [
        placed("etcd_pause", "cp1"),
        placed("etcd_kill", "cp1"),
        placed("etcd_partition", "cp1"),
    ],
    ids=lambda one: one.fault.name,
)
def test_an_api_server_goes_with_its_own_member(wide: Cluster, lost: Placed) -> None:
    strict = wide.model_copy(update={"limits": Limits(nodes_at_once=9, healthy_control_planes=2)})
    check_together([lost], cluster=strict)
    check_together([lost, placed("apiserver_stop", "cp1")], cluster=strict)
    with pytest.raises(RefusedError, match="cp1, cp2 down leaves 1 of 3 API servers"):
        check_together([lost, placed("apiserver_stop", "cp2")], cluster=strict)


def test_what_is_down_anyway_counts(cluster: Cluster) -> None:
    pause = placed("etcd_pause", "cp1")
    check_together([pause], cluster=cluster, down=Down(members=["cp1"]))
    with pytest.raises(RefusedError, match="cp1, cp2 down leaves 1 of 3 etcd members"):
        check_together([pause], cluster=cluster, down=Down(members=["cp2"]))
    stop = placed("apiserver_stop", "cp1")
    with pytest.raises(RefusedError, match="leaves 0 of 3 API servers"):
        check_together([stop], cluster=cluster, down=Down(servers=["cp2", "cp3"]))


def test_the_numbers_are_those_that_are_held_against_one_another(wide: Cluster) -> None:
    on = [placed("etcd_kill", "cp1"), placed("apiserver_stop", "cp2")]
    found = arithmetic_of(on, cluster=wide, down=Down(servers=["cp3"]))
    assert found.reach.nodes == ("cp1", "cp2")
    assert (found.reach.members, found.reach.servers) == (("cp1",), ("cp1", "cp2", "cp3"))
    assert (found.members_left, found.members, found.members_needed) == (2, 3, 2)
    assert (found.servers_left, found.servers, found.servers_needed) == (0, 3, 1)
    bridge = placed("etcd_partition", "cp1", groups="bridge")
    parted = arithmetic_of([bridge], cluster=wide, down=Down())
    assert parted.members_left == 3, "around its hub"
    assert len(parted.reach.apart) == 2
