"""etcd_member_misplaced: a member of etcd is said to be on a worker."""

from __future__ import annotations

from typing import ClassVar

from quorate.harness.errors import RefusedError
from quorate.harness.faults.arrangements.etcd_learner import EtcdLearner
from quorate.harness.model.cluster import Cluster, Role


class EtcdMemberMisplaced(EtcdLearner):
    """A learner too, since what is misplaced here is only to be found, not to be lost: the list of
    members shows where it is said to be, and no quorum depends on it."""

    name: ClassVar[str] = "etcd_member_misplaced"
    summary: ClassVar[str] = (
        "etcd has a member, a learner that never started, at the last worker's address."
    )

    def address(self, cluster: Cluster) -> str:
        found = [node for node in cluster.workers if not node.has(Role.ETCD)]
        if not found:
            raise RefusedError("cluster.yaml names no worker without etcd")
        return found[-1].address
