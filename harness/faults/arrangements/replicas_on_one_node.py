"""replicas_on_one_node: all pods of the service under watch share one machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.service import DEPLOYMENT_PATH, spread
from quorate.harness.errors import RefusedError
from quorate.harness.faults.contract import Act, Arrangement, Plan, Proof
from quorate.harness.faults.marked.changes import change_back, roll_out
from quorate.harness.model.service import LABELS, REPLICAS
from quorate.harness.model.undo import Undo

HOSTNAME = "kubernetes.io/hostname"


class ReplicasOnOneNode(Arrangement):
    """The first worker of cluster.yaml. Preferred, not forced: they may move when it is lost."""

    name: ClassVar[str] = "replicas_on_one_node"
    summary: ClassVar[str] = "All replicas of the service under watch are on the first worker."

    def prepare(self, drivers: Drivers, *, arguments: Mapping[str, object]) -> Mapping[str, str]:
        if not drivers.cluster.workers:
            raise RefusedError("cluster.yaml names no worker that the replicas could share")
        return {"node": drivers.cluster.workers[0].name}

    def undos(self, drivers: Drivers, *, plan: Plan) -> Sequence[Undo]:
        text = "let the service under watch spread again"
        apart = _placement(spread(), None)
        return [change_back(drivers.kube_commands, DEPLOYMENT_PATH, apart, plan=plan, text=text)]

    def acts(self, drivers: Drivers, *, plan: Plan) -> Sequence[Act]:
        together = _placement(None, _affinity(plan.before["node"]))
        return roll_out(drivers.kube_commands, DEPLOYMENT_PATH, together, plan=plan)

    def proof(self, drivers: Drivers, *, plan: Plan) -> Proof:
        differs = drivers.service.unsettled(replicas=REPLICAS)
        nodes = drivers.service.nodes()
        ok = not differs and set(nodes) == {plan.before["node"]}
        return Proof(ok, differs or f"the service's pods are on {', '.join(nodes)}")


def _placement(
    constraints: list[dict[str, Any]] | None, affinity: dict[str, Any] | None
) -> dict[str, Any]:
    placed = {"topologySpreadConstraints": constraints, "affinity": affinity}
    return {"spec": {"template": {"spec": placed}}}


def _affinity(node: str) -> dict[str, Any]:
    """Both weights at their most, to outweigh the scheduler's own wish to spread."""
    on_it = {"matchExpressions": [{"key": HOSTNAME, "operator": "In", "values": [node]}]}
    together = {"labelSelector": {"matchLabels": LABELS}, "topologyKey": HOSTNAME}
    preferred = "preferredDuringSchedulingIgnoredDuringExecution"
    return {
        "nodeAffinity": {preferred: [{"weight": 100, "preference": on_it}]},
        "podAffinity": {preferred: [{"weight": 100, "podAffinityTerm": together}]},
    }
