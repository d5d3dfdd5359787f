"""service_without_pre_stop: pods of the service end while clients are still sent to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.kube_api import ROLLED_OUT_S, UNMARKED
from quorate.harness.drivers.service import DEPLOYMENT_PATH, container
from quorate.harness.faults.contract import Act, Arrangement, Plan, Proof
from quorate.harness.model.cluster import HARNESS
from quorate.harness.model.service import REPLICAS
from quorate.harness.model.undo import Undo


class ServiceWithoutPreStop(Arrangement):
    """The usual mistake: SIGTERM reaches the program before its endpoint is gone everywhere."""

    name: ClassVar[str] = "service_without_pre_stop"
    summary: ClassVar[str] = "The service under watch has no preStop: its pods end at once."

    def undos(self, drivers: Drivers, *, plan: Plan) -> Sequence[Undo]:
        commands = drivers.kube_commands
        return [
            Undo(
                id=f"{self.name}:template",
                injection=self.name,
                node=HARNESS,
                argv=commands.unmark(
                    DEPLOYMENT_PATH, self._template(drivers, pre_stop=True), mark=plan.unit
                ),
                confirm_argv=commands.show_mark(DEPLOYMENT_PATH, mark=plan.unit),
                confirm_expect=UNMARKED,
                text="give the service under watch its preStop back",
            )
        ]

    def acts(self, drivers: Drivers, *, plan: Plan) -> Sequence[Act]:
        commands = drivers.kube_commands
        without = self._template(drivers, pre_stop=False)
        return [
            Act(HARNESS, commands.mark(DEPLOYMENT_PATH, without, mark=plan.unit)),
            Act(HARNESS, commands.rolled_out(DEPLOYMENT_PATH), timeout_s=ROLLED_OUT_S + 10),
        ]

    def proof(self, drivers: Drivers, *, plan: Plan) -> Proof:
        differs = drivers.service.unsettled(replicas=REPLICAS)
        with_it = [
            pod["metadata"]["name"]
            for pod in drivers.service.pods()
            if pod["spec"]["containers"][0].get("lifecycle")
        ]
        if differs or with_it:
            return Proof(False, differs or f"with preStop: {', '.join(with_it)}")
        return Proof(True, f"no pod of the {REPLICAS} has a preStop")

    def _template(self, drivers: Drivers, *, pre_stop: bool) -> dict[str, Any]:
        only = container(image=drivers.cluster.service.image, pre_stop=pre_stop)
        return {"spec": {"template": {"spec": {"containers": [only]}}}}
