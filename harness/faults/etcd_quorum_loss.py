"""etcd_quorum_loss: as many members are cut off as it takes until no majority is left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from quorate.harness.faults.cuts import shapes
from quorate.harness.faults.cuts.members import MembersParted, names
from quorate.harness.model.cluster import Cluster
from quorate.harness.model.touch import Part, Touch, Way


class EtcdQuorumLoss(MembersParted):
    """The target and the next members after it in cluster.yaml, each cut off from everybody."""

    name: ClassVar[str] = "etcd_quorum_loss"
    summary: ClassVar[str] = "etcd loses its quorum: no write, no quorum read, until it is back."
    acts_by: ClassVar[str] = "an nft table on every member that drops what it is sent by the others"
    proved_by: ClassVar[str] = (
        "every member says itself that it has no leader; the drop rules' packet counters"
    )
    stops_members: ClassVar[bool] = True
    touches: ClassVar[Touch] = Touch(Part.ETCD, Way.SILENT)

    def lost(
        self, cluster: Cluster, *, nodes: Sequence[str], arguments: Mapping[str, object]
    ) -> shapes.Links:
        members = names(cluster)
        return shapes.alone(members, hit=enough(members, first=nodes))


def enough(members: Sequence[str], *, first: Sequence[str]) -> list[str]:
    """The fewest members, these first, without which the others are no majority.

    n members need n // 2 + 1, so n - n // 2 must go (etcd FAQ).
    """
    ordered = [*first, *(name for name in members if name not in first)]
    return ordered[: max(len(first), len(members) - len(members) // 2)]
