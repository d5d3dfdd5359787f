"""etcd_learner: etcd has a member without a vote, on a machine that has one with a vote already."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping, Sequence
from typing import ClassVar

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.learners import learners_argv
from quorate.harness.errors import RefusedError
from quorate.harness.faults.contract import Act, Arrangement, Plan, Proof
from quorate.harness.model.cluster import Cluster, Role
from quorate.harness.model.undo import Undo

PORTS = range(20000, 30000)
"""Nobody listens there by habit: below NodePorts and the ports that kernels give to clients."""


class EtcdLearner(Arrangement):
    """Added and never started. It has no vote: a quorum is as large as before, and the leader only
    tries in vain to reach it. A voting member in its place would make 3 of 4 a quorum of 3.

    Membership lies in etcd, not on a node: a reboot does not forget it, the journal's undo or the
    switch takes it back. The undo knows its member by a port that is drawn from the mark.
    """

    name: ClassVar[str] = "etcd_learner"
    summary: ClassVar[str] = (
        "etcd has a learner that never started, at the address of the last member's machine."
    )

    def address(self, cluster: Cluster) -> str:
        """The machine that the learner claims to be on. RefusedError where there is none."""
        return cluster.with_role(Role.ETCD)[-1].address

    def prepare(self, drivers: Drivers, *, arguments: Mapping[str, object]) -> Mapping[str, str]:
        members = [node.name for node in drivers.cluster.with_role(Role.ETCD)]
        asked = next((node for node in members if drivers.etcd.member(node)), None)
        if asked is None:
            raise RefusedError("no etcd member answers on a node with the role etcd")
        found = drivers.learners.peers(asked)
        if found:
            raise RefusedError(
                f"etcd has a learner already, at {', '.join(found)}, and takes one at a time: "
                "promote or remove it"
            )
        return {"node": asked, "address": self.address(drivers.cluster)}

    def undos(self, drivers: Drivers, *, plan: Plan) -> Sequence[Undo]:
        peer = _peer(plan)
        return [
            Undo(
                id=f"{plan.injection}:{plan.before['node']}",
                injection=plan.injection,
                node=plan.before["node"],
                argv=learners_argv("remove", peer),
                confirm_argv=learners_argv("list"),
                confirm_expect=rf"\A(?![\s\S]*^{re.escape(peer)}$)",
                text=f"remove the learner at {peer} from etcd",
            )
        ]

    def acts(self, drivers: Drivers, *, plan: Plan) -> Sequence[Act]:
        return [Act(plan.before["node"], learners_argv("add", _peer(plan)))]

    def proof(self, drivers: Drivers, *, plan: Plan) -> Proof:
        peer, members = _peer(plan), drivers.cluster.with_role(Role.ETCD)
        without = [one.name for one in members if peer not in drivers.learners.peers(one.name)]
        if without:
            return Proof(False, f"the member of {', '.join(without)} knows no learner at {peer}")
        return Proof(True, f"every member of etcd knows a learner at {peer}")


def _peer(plan: Plan) -> str:
    address, port = plan.before["address"], PORTS[zlib.crc32(plan.mark.encode()) % len(PORTS)]
    return f"https://{f'[{address}]' if ':' in address else address}:{port}"
