"""pdb_zero: a PodDisruptionBudget that allows no eviction, ever."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.service import BUDGET_PATH
from quorate.harness.faults.contract import Act, Arrangement, Plan, Proof
from quorate.harness.faults.marked.changes import change_back
from quorate.harness.model.cluster import HARNESS
from quorate.harness.model.undo import Undo


class PdbZero(Arrangement):
    """maxUnavailable 0: every drain of a node with one of its pods hangs."""

    name: ClassVar[str] = "pdb_zero"
    summary: ClassVar[str] = "The budget of the service under watch allows no eviction."

    def undos(self, drivers: Drivers, *, plan: Plan) -> Sequence[Undo]:
        text = "allow one disruption of the service under watch again"
        one = {"spec": {"maxUnavailable": 1}}
        return [change_back(drivers.kube_commands, BUDGET_PATH, one, plan=plan, text=text)]

    def acts(self, drivers: Drivers, *, plan: Plan) -> Sequence[Act]:
        nothing = {"spec": {"maxUnavailable": 0}}
        return [Act(HARNESS, drivers.kube_commands.mark(BUDGET_PATH, nothing, mark=plan.unit))]

    def proof(self, drivers: Drivers, *, plan: Plan) -> Proof:
        budget = drivers.api.get(BUDGET_PATH)
        if budget is None:
            return Proof(False, "the service under watch is not deployed (given: service_deployed)")
        status = budget.get("status") or {}
        seen = status.get("observedGeneration") == budget["metadata"]["generation"]
        allowed = status.get("disruptionsAllowed")
        return Proof(seen and allowed == 0, f"disruptions allowed by the budget: {allowed}")
