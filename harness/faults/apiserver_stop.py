"""apiserver_stop: an API server is taken down in order, and stays down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.files import cover_argv
from quorate.harness.drivers.kube import API_SERVER_PORT
from quorate.harness.drivers.manifests import HIDDEN, path_of
from quorate.harness.errors import RefusedError
from quorate.harness.faults.contract import Act, Fault, Plan, Proof
from quorate.harness.faults.covers.manifest import refuse_covered, uncover
from quorate.harness.faults.processes import parts
from quorate.harness.model.cluster import HARNESS
from quorate.harness.model.touch import Part, Touch, Way
from quorate.harness.model.undo import Undo

PART = "kube-apiserver"
MANIFEST = path_of(PART)


class ApiserverStop(Fault):
    """Its static pod's manifest is hidden; kubelet ends the pod with SIGTERM within 20 s."""

    name: ClassVar[str] = "apiserver_stop"
    summary: ClassVar[str] = (
        "The API server's static pod is taken away: SIGTERM, and it stays down."
    )
    acts_by: ClassVar[str] = "an empty file below /run is bind-mounted over its manifest"
    proved_by: ClassVar[str] = (
        "its processes have ended, no container runs it, and its port refuses the client"
    )
    undone_by: ClassVar[str] = "umount, confirmed by the node's mounts"
    without_harness: ClassVar[str] = parts.WITHOUT_HARNESS
    stops_api: ClassVar[bool] = True
    proof_timeout_s: ClassVar[float] = 90.0
    touches: ClassVar[Touch] = Touch(Part.APISERVER, Way.LEFT)

    def prepare(
        self, drivers: Drivers, *, nodes: Sequence[str], arguments: Mapping[str, object]
    ) -> Mapping[str, str]:
        before = parts.look(drivers, nodes=nodes, part=PART)
        for node in nodes:
            if before[f"how:{node}"] != "container":
                raise RefusedError(f"{PART} on {node} is no static pod: use apiserver_kill there")
            if drivers.files.text(node, MANIFEST) is None:
                raise RefusedError(f"{node} has no {MANIFEST} that could be hidden")
            refuse_covered(drivers, node=node, path=MANIFEST)
        return before

    def undos(self, drivers: Drivers, *, plan: Plan) -> Sequence[Undo]:
        return [uncover(plan, node=node, path=MANIFEST) for node in plan.nodes]

    def acts(self, drivers: Drivers, *, plan: Plan) -> Sequence[Act]:
        return [Act(node, cover_argv(MANIFEST, HIDDEN, folder=plan.folder)) for node in plan.nodes]

    def proof(self, drivers: Drivers, *, plan: Plan) -> Proof:
        seen = []
        for node in plan.nodes:
            first = next(iter(now := parts.states(drivers, plan=plan, node=node)))
            if now[first] is not None:
                return Proof(False, f"process {first.pid} of {PART} on {node} still runs")
            running = drivers.workloads.find(node, PART)
            if running is not None:
                return Proof(False, f"{running} runs on {node}")
            address = drivers.cluster.node(node).address
            port = drivers.reach.seen_from(HARNESS, address=address, port=API_SERVER_PORT)
            if port != "refused":
                return Proof(False, f"{node}:{API_SERVER_PORT} is {port or 'not known'}")
            seen.append(f"no {PART} runs on {node}, whose port {API_SERVER_PORT} refuses")
        return Proof(True, ", ".join(seen))

    def undone(self, drivers: Drivers, *, plan: Plan) -> Proof:
        seen = []
        for node in plan.nodes:
            if drivers.files.is_covered(node, MANIFEST):
                return Proof(False, f"{MANIFEST} on {node} is still hidden")
            first = next(iter(now := parts.states(drivers, plan=plan, node=node)))
            if now[first] is not None:
                return Proof(False, f"{PART} on {node} is the same as before: it never went")
            instead = parts.in_its_place(drivers, plan=plan, node=node, part=PART)
            seen.append(f"{MANIFEST} on {node} is there again; {instead}")
        return Proof(True, ", ".join(seen))
