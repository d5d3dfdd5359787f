"""How much may be broken at once, and how long; pure.

What is beyond it is refused before anything is touched.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from quorate.harness.errors import RefusedError, SpecError
from quorate.harness.faults.catalogue import FAULTS, parameters_of
from quorate.harness.faults.contract import Fault
from quorate.harness.faults.cuts import shapes
from quorate.harness.faults.cuts.shapes import Link, Links
from quorate.harness.model.cluster import Cluster, Role
from quorate.harness.model.experiment import Experiment
from quorate.harness.run.durations import worst_case_s

WAY_OUT = "say `beyond_tolerance: true` in the experiment if that is what it is for"


LONGEST_RUN_S = 3600.0
"""The cluster's Lease and the switches of arrangements last for a whole run: of a run that ended
badly, this is how long the cluster may be kept from others."""


def check_length(experiment: Experiment) -> None:
    """SpecError where a run can last longer than LONGEST_RUN_S by the experiment's own numbers."""
    lasts_s = worst_case_s(experiment)
    if lasts_s > LONGEST_RUN_S:
        raise SpecError(
            None,
            field="method",
            found=f"steps with which a run can last {lasts_s:.0f} s, baseline and undos included",
            allowed=f"{LONGEST_RUN_S:.0f} s; divide it into several experiments",
        )


@dataclass(frozen=True)
class Placed:
    """A fault where it is, or is to be."""

    fault: Fault
    nodes: Sequence[str]
    arguments: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Down:
    """Nodes whose etcd member, or whose API server, does not serve now, whoever is to blame."""

    members: Collection[str] = ()
    servers: Collection[str] = ()


def check_limits(
    experiment: Experiment, *, cluster: Cluster, nodes: Mapping[str, Sequence[str]]
) -> None:
    """Go through the method; RefusedError where faults on together break more than is allowed.

    `nodes`: target word → nodes. Nothing is refused with ``beyond_tolerance: true``.
    """
    if experiment.beyond_tolerance:
        return
    for on in on_together(experiment, nodes=nodes):
        check_together(on, cluster=cluster)


def on_together(
    experiment: Experiment, *, nodes: Mapping[str, Sequence[str]]
) -> list[tuple[Placed, ...]]:
    """For each fault of the method, in order: itself, last, behind those that are on by then.

    `nodes`: target word → nodes. Defaults are filled in.
    """
    on: list[Placed] = []
    found = []
    for step in experiment.method:
        if step.kind == "undo":
            on = []
        if step.kind != "fault":
            continue
        defaults = {one.name: one.default for one in parameters_of(step.func)}
        target = nodes[str(step.arguments["target"])]
        on = [*on, Placed(FAULTS[step.func], target, {**defaults, **step.arguments})]
        found.append(tuple(on))
    return found


@dataclass(frozen=True)
class Reach:
    """What faults that are on together take away, with what is down anyway."""

    nodes: tuple[str, ...]
    members: tuple[str, ...]
    apart: Links
    servers: tuple[str, ...]


def reach_of(on: Sequence[Placed], *, cluster: Cluster, down: Down | None = None) -> Reach:
    """An API server counts as lost with its own machine's etcd member, which kubeadm gives it as
    its only one: a member that is down or has no leader answers it nothing. One without a member
    beside it asks all of them, and is lost when none of them has a leader."""
    down = down or Down()
    members, links, servers = set(down.members), set[Link](), set(down.servers)
    for one in on:
        lost = one.fault.links_lost(cluster, nodes=one.nodes, arguments=one.arguments)
        links.update(lost)
        if not lost:
            gone = one.fault.members_lost(cluster, nodes=one.nodes, arguments=one.arguments)
            members.update(gone)
        if one.fault.stops_api:
            servers.update(one.nodes)
    led = _led(cluster, down=members, apart=frozenset(links))
    servers.update(
        node.name
        for node in cluster.control_planes
        if (node.name not in led if node.has(Role.ETCD) else _members(cluster) and not led)
    )
    nodes = {node for one in on for node in one.nodes}
    return Reach(
        tuple(sorted(nodes)), tuple(sorted(members)), frozenset(links), tuple(sorted(servers))
    )


def check_together(on: Sequence[Placed], *, cluster: Cluster, down: Down | None = None) -> None:
    """RefusedError where all this at once, with what is down anyway, is beyond what is allowed."""
    reach = reach_of(on, cluster=cluster, down=down)
    check_nodes_at_once(cluster, hit=reach.nodes)
    check_quorum(cluster, down=reach.members, apart=reach.apart)
    check_control_planes(cluster, down=reach.servers)


@dataclass(frozen=True)
class Arithmetic:
    """What is left while faults are on together, and what must be."""

    reach: Reach
    nodes_allowed: int
    members: int
    members_left: int
    """That can talk with one another."""
    members_needed: int
    servers: int
    servers_left: int
    servers_needed: int


def arithmetic_of(on: Sequence[Placed], *, cluster: Cluster, down: Down) -> Arithmetic:
    """The numbers that `check_together` holds against one another."""
    reach = reach_of(on, cluster=cluster, down=down)
    members, servers = len(_members(cluster)), len(cluster.control_planes)
    return Arithmetic(
        reach=reach,
        nodes_allowed=cluster.limits.nodes_at_once,
        members=members,
        members_left=members_together(cluster, down=reach.members, apart=reach.apart),
        members_needed=members // 2 + 1,
        servers=servers,
        servers_left=sum(node.name not in reach.servers for node in cluster.control_planes),
        servers_needed=cluster.limits.healthy_control_planes,
    )


def check_nodes_at_once(cluster: Cluster, *, hit: Sequence[str]) -> None:
    """Refuse to fault more nodes at once than cluster.yaml allows (``limits.nodes_at_once``)."""
    allowed = cluster.limits.nodes_at_once
    if len(hit) > allowed:
        raise RefusedError(
            f"{', '.join(hit)} would be faulted at once, and cluster.yaml allows {allowed} "
            f"(limits.nodes_at_once): {WAY_OUT}"
        )


def check_quorum(cluster: Cluster, *, down: Sequence[str], apart: Links = frozenset()) -> None:
    """Refuse to take more etcd members down, or apart, at once than the cluster tolerates.

    n members need n // 2 + 1 that are up, around one that talks with them all (etcd FAQ).
    RefusedError gives the arithmetic.
    """
    members = _members(cluster)
    hit = [name for name in members if name in down]
    most, needed = members_together(cluster, down=down, apart=apart), len(members) // 2 + 1
    if (hit or apart) and most < needed:
        pairs = sorted({" from ".join(sorted(link)) for link in apart})
        what = [f"{', '.join(hit)} down"] if hit else []
        what += [f"{', '.join(pairs)} cut off"] if pairs else []
        raise RefusedError(
            f"{' and '.join(what)} leaves {most} of {len(members)} etcd members, quorum needs "
            f"{needed}: beyond what this cluster tolerates; {WAY_OUT}"
        )


def members_together(cluster: Cluster, *, down: Collection[str], apart: Links = frozenset()) -> int:
    """How many etcd members that are up can talk with one of them, at most."""
    up = [name for name in _members(cluster) if name not in down]
    return max((len(shapes.heard(one, up, lost=apart)) for one in up), default=0)


def _members(cluster: Cluster) -> list[str]:
    return [node.name for node in cluster.with_role(Role.ETCD)]


def _led(cluster: Cluster, *, down: Collection[str], apart: Links) -> set[str]:
    """The members that can have a leader with these down and these links lost."""
    members = _members(cluster)
    lost = apart | shapes.alone(members, hit=down)
    return set(shapes.led(members, lost=lost)) - set(down)


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
