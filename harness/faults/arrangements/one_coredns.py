"""one_coredns: the cluster's DNS has a single pod."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import ClassVar

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.coredns import DEPLOYMENT_PATH, NAMESPACE, SELECTOR
from quorate.harness.drivers.kube_api import ROLLED_OUT_S
from quorate.harness.drivers.pods import is_ready
from quorate.harness.drivers.service import selected_path
from quorate.harness.errors import RefusedError
from quorate.harness.faults.contract import Act, Arrangement, Plan, Proof
from quorate.harness.faults.marked.changes import change_back, roll_out
from quorate.harness.model.cluster import HARNESS
from quorate.harness.model.undo import Undo


class OneCoredns(Arrangement):
    """Whoever has no cached answer depends on one pod."""

    name: ClassVar[str] = "one_coredns"
    summary: ClassVar[str] = "CoreDNS has one replica."

    def prepare(self, drivers: Drivers, *, arguments: Mapping[str, object]) -> Mapping[str, str]:
        found = drivers.api.get(DEPLOYMENT_PATH)
        if found is None:
            raise RefusedError(f"there is no Deployment coredns in {NAMESPACE}")
        return {"replicas": json.dumps(found["spec"]["replicas"])}

    def undos(self, drivers: Drivers, *, plan: Plan) -> Sequence[Undo]:
        commands, before = drivers.kube_commands, plan.before["replicas"]
        return [  # taken back from the last to the first
            Undo(
                id=f"{self.name}:ready",
                injection=self.name,
                node=HARNESS,
                argv=commands.rolled_out(DEPLOYMENT_PATH),
                timeout_s=ROLLED_OUT_S + 10,
                text="wait until CoreDNS runs as it is declared",
            ),
            change_back(
                commands,
                DEPLOYMENT_PATH,
                {"spec": {"replicas": int(before)}},
                plan=plan,
                text=f"scale CoreDNS to {before} replicas again",
            ),
        ]

    def acts(self, drivers: Drivers, *, plan: Plan) -> Sequence[Act]:
        one = {"spec": {"replicas": 1}}
        return roll_out(drivers.kube_commands, DEPLOYMENT_PATH, one, plan=plan)

    def proof(self, drivers: Drivers, *, plan: Plan) -> Proof:
        pods = drivers.api.items(selected_path(NAMESPACE, SELECTOR))
        ready = [pod["metadata"]["name"] for pod in pods if is_ready(pod)]
        return Proof(len(ready) == len(pods) == 1, f"CoreDNS runs as {', '.join(ready)}")
