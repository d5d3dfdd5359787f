"""service_without_pre_stop: pods of the service end while clients are still sent to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.service import DEPLOYMENT_PATH, container
from quorate.harness.faults.contract import Act, Arrangement, Plan, Proof
from quorate.harness.faults.marked.changes import change_back, roll_out
from quorate.harness.model.service import REPLICAS
from quorate.harness.model.undo import Undo


class ServiceWithoutPreStop(Arrangement):
    """The usual mistake: SIGTERM reaches the program before its endpoint is gone everywhere."""

    name: ClassVar[str] = "service_without_pre_stop"
    summary: ClassVar[str] = "The service under watch has no preStop: its pods end at once."

    def undos(self, drivers: Drivers, *, plan: Plan) -> Sequence[Undo]:
        text = "give the service under watch its preStop back"
        with_it = self._template(drivers, pre_stop=True)
        return [change_back(drivers.kube_commands, DEPLOYMENT_PATH, with_it, plan=plan, text=text)]

    def acts(self, drivers: Drivers, *, plan: Plan) -> Sequence[Act]:
        without = self._template(drivers, pre_stop=False)
        return roll_out(drivers.kube_commands, DEPLOYMENT_PATH, without, plan=plan)

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
