"""How much may be broken at once; pure. What is beyond it is refused before anything is touched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from quorate.harness.errors import RefusedError
from quorate.harness.faults.catalogue import FAULTS, parameters_of
from quorate.harness.model.cluster import Cluster, Role
from quorate.harness.model.experiment import Experiment

WAY_OUT = "say `beyond_tolerance: true` in the experiment if that is what it is for"


def check_limits(
    experiment: Experiment, *, cluster: Cluster, nodes: Mapping[str, Sequence[str]]
) -> None:
    """Go through the method; RefusedError where faults on together break more than is allowed.

    `nodes`: target word → nodes. Nothing is refused with ``beyond_tolerance: true``.
    """
    if experiment.beyond_tolerance:
        return
    hit: set[str] = set()
    members: set[str] = set()
    servers: set[str] = set()
    for step in experiment.method:
        if step.kind == "undo":
            hit, members, servers = set(), set(), set()
        if step.kind != "fault":
            continue
        fault, target = FAULTS[step.func], nodes[str(step.arguments["target"])]
        defaults = {one.name: one.default for one in parameters_of(step.func)}
        arguments = {**defaults, **step.arguments}
        hit.update(target)
        members.update(fault.members_lost(cluster, nodes=target, arguments=arguments))
        if fault.stops_api:
            servers.update(target)
        check_nodes_at_once(cluster, hit=sorted(hit))
        check_quorum(cluster, down=sorted(members))
        check_control_planes(cluster, down=sorted(servers))


def check_nodes_at_once(cluster: Cluster, *, hit: Sequence[str]) -> None:
    """Refuse to fault more nodes at once than cluster.yaml allows (``limits.nodes_at_once``)."""
    allowed = cluster.limits.nodes_at_once
    if len(hit) > allowed:
        raise RefusedError(
            f"{', '.join(hit)} would be faulted at once, and cluster.yaml allows {allowed} "
            f"(limits.nodes_at_once): {WAY_OUT}"
        )


def check_quorum(cluster: Cluster, *, down: Sequence[str]) -> None:
    """Refuse to take more etcd members down at once than the cluster tolerates.

    n members need n // 2 + 1 (etcd FAQ). RefusedError gives the arithmetic.
    """
    members = [node.name for node in cluster.with_role(Role.ETCD)]
    hit = [name for name in members if name in down]
    left, needed = len(members) - len(hit), len(members) // 2 + 1
    if hit and left < needed:
        raise RefusedError(
            f"{', '.join(hit)} down leaves {left} of {len(members)} etcd members, quorum needs "
            f"{needed}: beyond what this cluster tolerates; {WAY_OUT}"
        )


def check_control_planes(cluster: Cluster, *, down: Sequence[str]) -> None:
    """Refuse to leave fewer API servers than ``limits.healthy_control_planes`` (default: one)."""
    names = [node.name for node in cluster.control_planes]
    hit = [name for name in names if name in down]
    left, needed = len(names) - len(hit), cluster.limits.healthy_control_planes
    if hit and left < needed:
        raise RefusedError(
            f"{', '.join(hit)} down leaves {left} of {len(names)} API servers, and cluster.yaml "
            f"demands {needed} (limits.healthy_control_planes): {WAY_OUT}"
        )
