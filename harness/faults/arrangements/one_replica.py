"""one_replica: the service under watch has a single pod."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.kube_api import ROLLED_OUT_S, UNMARKED
from quorate.harness.drivers.service import DEPLOYMENT_PATH
from quorate.harness.faults.contract import Act, Arrangement, Plan, Proof
from quorate.harness.model.cluster import HARNESS
from quorate.harness.model.service import REPLICAS
from quorate.harness.model.undo import Undo


class OneReplica(Arrangement):
    """Whatever happens to its only pod happens to every client."""

    name: ClassVar[str] = "one_replica"
    summary: ClassVar[str] = "The service under watch has one replica."

    def undos(self, drivers: Drivers, *, plan: Plan) -> Sequence[Undo]:
        commands = drivers.kube_commands
        return [
            Undo(
                id=f"{self.name}:replicas",
                injection=self.name,
                node=HARNESS,
                argv=commands.unmark(
                    DEPLOYMENT_PATH, {"spec": {"replicas": REPLICAS}}, mark=plan.unit
                ),
                confirm_argv=commands.show_mark(DEPLOYMENT_PATH, mark=plan.unit),
                confirm_expect=UNMARKED,
                text=f"scale the service under watch to {REPLICAS} replicas again",
            )
        ]

    def acts(self, drivers: Drivers, *, plan: Plan) -> Sequence[Act]:
        commands = drivers.kube_commands
        return [
            Act(
                HARNESS,
                commands.mark(DEPLOYMENT_PATH, {"spec": {"replicas": 1}}, mark=plan.unit),
            ),
            Act(HARNESS, commands.rolled_out(DEPLOYMENT_PATH), timeout_s=ROLLED_OUT_S + 10),
        ]

    def proof(self, drivers: Drivers, *, plan: Plan) -> Proof:
        differs = drivers.service.unsettled(replicas=1)
        nodes = ", ".join(drivers.service.nodes())
        return Proof(not differs, differs or f"the service's only pod is on {nodes}")
