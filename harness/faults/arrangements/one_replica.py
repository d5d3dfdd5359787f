"""one_replica: the service under watch has a single pod."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.service import DEPLOYMENT_PATH
from quorate.harness.faults.contract import Act, Arrangement, Plan, Proof
from quorate.harness.faults.marked.changes import change_back, roll_out
from quorate.harness.model.service import REPLICAS
from quorate.harness.model.undo import Undo


class OneReplica(Arrangement):
    """Whatever happens to its only pod happens to every client."""

    name: ClassVar[str] = "one_replica"
    summary: ClassVar[str] = "The service under watch has one replica."

    def undos(self, drivers: Drivers, *, plan: Plan) -> Sequence[Undo]:
        text = f"scale the service under watch to {REPLICAS} replicas again"
        all_ = {"spec": {"replicas": REPLICAS}}
        return [change_back(drivers.kube_commands, DEPLOYMENT_PATH, all_, plan=plan, text=text)]

    def acts(self, drivers: Drivers, *, plan: Plan) -> Sequence[Act]:
        one = {"spec": {"replicas": 1}}
        return roll_out(drivers.kube_commands, DEPLOYMENT_PATH, one, plan=plan)

    def proof(self, drivers: Drivers, *, plan: Plan) -> Proof:
        differs = drivers.service.unsettled(replicas=1)
        nodes = ", ".join(drivers.service.nodes())
        return Proof(not differs, differs or f"the service's only pod is on {nodes}")
