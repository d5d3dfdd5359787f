"""etcd_partition: members run on and lose one another, in one direction or both."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import ClassVar, cast

from quorate.harness.errors import RefusedError
from quorate.harness.faults.contract import Parameter
from quorate.harness.faults.cuts import shapes
from quorate.harness.faults.cuts.members import MembersParted, names
from quorate.harness.model.cluster import Cluster
from quorate.harness.model.touch import Part, Touch, Way

SHAPES: Mapping[str, Callable[..., shapes.Links]] = {
    "alone": shapes.alone,
    "together": shapes.together,
    "bridge": shapes.bridge,
}
WAYS = ("both", "in", "out")


class EtcdPartition(MembersParted):
    """Only the links between members; clients of each member reach it as before."""

    name: ClassVar[str] = "etcd_partition"
    summary: ClassVar[str] = "etcd's members lose one another; each keeps its own API server."
    acts_by: ClassVar[str] = (
        "an nft table on each member that drops what others send to it or answer from the peer port"
    )
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter(
            "groups",
            str,
            "alone",
            "alone: the target loses everybody; together: targets on one side, the rest on the "
            "other; bridge: only the target still reaches all; or groups: cp1 | cp2 cp3",
        ),
        Parameter(
            "way", str, "both", "both; out: what the target sends; in: what it is sent", words=WAYS
        ),
    )
    touches: ClassVar[Touch] = Touch(Part.ETCD, Way.SILENT)

    def lost(
        self, cluster: Cluster, *, nodes: Sequence[str], arguments: Mapping[str, object]
    ) -> shapes.Links:
        members = names(cluster)
        links = _shaped(str(arguments.get("groups", "alone")), members=members, hit=nodes)
        way = cast(shapes.Way, arguments.get("way", "both"))
        links = shapes.one_way(links, hit=nodes, way=way)
        if not links:
            raise RefusedError(f"etcd_partition: no link is lost among {', '.join(members)}")
        return links


def _shaped(groups: str, *, members: Collection[str], hit: Collection[str]) -> shapes.Links:
    if groups in SHAPES:
        return SHAPES[groups](members, hit=hit)
    try:
        return shapes.between(shapes.parse_groups(groups, members=members))
    except ValueError as error:
        raise RefusedError(
            f"etcd_partition: groups {groups!r}: {error}; or one of {', '.join(SHAPES)}"
        ) from None
