"""service_deployed: the service under watch, in a namespace of its own. Not worse, but ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.kube_api import ROLLED_OUT_S
from quorate.harness.drivers.service import DEPLOYMENT_PATH, NAMESPACE_PATH, objects
from quorate.harness.errors import RefusedError
from quorate.harness.faults.contract import Act, Arrangement, Plan, Proof
from quorate.harness.faults.marked.changes import namespace_gone
from quorate.harness.model.cluster import HARNESS
from quorate.harness.model.marks import LABEL
from quorate.harness.model.service import NAMESPACE, REPLICAS
from quorate.harness.model.undo import Undo

SERVED_S = 60.0
"""kube-proxy whose API server's machine has just died asks it on until HTTP/2's pings give it up,
30 s and 15 s (golang.org/x/net/http2 as client-go sets it), and hears of no service meanwhile."""


class ServiceDeployed(Arrangement):
    """What service_reachability asks: replicas on several nodes, readiness, preStop, a budget."""

    name: ClassVar[str] = "service_deployed"
    summary: ClassVar[str] = (
        f"{REPLICAS} replicas of a web server, spread, with readiness, preStop and a budget of one."
    )

    proof_timeout_s: ClassVar[float] = SERVED_S

    def prepare(self, drivers: Drivers, *, arguments: Mapping[str, object]) -> Mapping[str, str]:
        if drivers.service.is_there():
            raise RefusedError(
                f"the namespace {NAMESPACE} is there already (or still ending), and it is where "
                f"the service under watch is deployed: kubectl delete namespace {NAMESPACE}"
            )
        return {}

    def undos(self, drivers: Drivers, *, plan: Plan) -> Sequence[Undo]:
        return [namespace_gone(drivers.kube_commands, NAMESPACE_PATH, plan=plan)]

    def acts(self, drivers: Drivers, *, plan: Plan) -> Sequence[Act]:
        commands = drivers.kube_commands
        wanted = objects(drivers.cluster, labels={LABEL: plan.unit})
        return [
            *(Act(HARNESS, commands.apply(path, body)) for path, body in wanted.items()),
            Act(HARNESS, commands.rolled_out(DEPLOYMENT_PATH), timeout_s=ROLLED_OUT_S + 10),
        ]

    def proof(self, drivers: Drivers, *, plan: Plan) -> Proof:
        differs = drivers.service.unsettled(replicas=REPLICAS)
        if differs:
            return Proof(False, differs)
        nodes = ", ".join(drivers.service.nodes())
        return Proof(True, f"the service answers at every worker; its pods are on {nodes}")
