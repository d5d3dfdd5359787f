"""apiserver_isolate: packets to an API server are lost; nothing refuses, nothing answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.kube import API_SERVER_PORT
from quorate.harness.drivers.nftables import Ruleset, both_ways
from quorate.harness.errors import RefusedError
from quorate.harness.faults.contract import Plan, Proof
from quorate.harness.faults.cuts.cut import Cut, look, others, ruleset
from quorate.harness.model.cluster import HARNESS
from quorate.harness.model.touch import Part, Touch, Way


class ApiserverIsolate(Cut):
    """Its TCP port on the node's links; the machine itself still reaches it by loopback."""

    name: ClassVar[str] = "apiserver_isolate"
    summary: ClassVar[str] = "The API server's port is a black hole: no answer, and no refusal."
    acts_by: ClassVar[str] = f"an nft table on the node that drops its TCP port {API_SERVER_PORT}"
    proved_by: ClassVar[str] = (
        "a connection from the client, and one from another node, is neither accepted nor refused; "
        "the drop rules' packet counters"
    )
    stops_api: ClassVar[bool] = True
    touches: ClassVar[Touch] = Touch(Part.APISERVER, Way.SILENT)

    def prepare(
        self, drivers: Drivers, *, nodes: Sequence[str], arguments: Mapping[str, object]
    ) -> Mapping[str, str]:
        serving = [node.name for node in drivers.cluster.control_planes]
        for node in nodes:
            if node not in serving:
                raise RefusedError(
                    f"{node} has no API server; there is one on {', '.join(serving)}"
                )
        return look(drivers, nodes=nodes, to=others(drivers, nodes))

    def rulesets(self, drivers: Drivers, *, plan: Plan) -> Mapping[str, Ruleset]:
        drops = both_ways(ports=(API_SERVER_PORT,), port_of="own")
        return {node: ruleset(plan, node, drops) for node in plan.nodes}

    def seen(self, drivers: Drivers, *, plan: Plan) -> Proof:
        told = []
        peers = [one.name for one in drivers.cluster.control_planes if one.name not in plan.nodes]
        for node in plan.nodes:
            address = drivers.cluster.node(node).address
            for looker in (HARNESS, *peers[:1]):
                seen = drivers.reach.seen_from(looker, address=address, port=API_SERVER_PORT)
                told.append(
                    f"seen from {looker}, {node}:{API_SERVER_PORT} is {seen or 'not known'}"
                )
                if seen != "silent":
                    return Proof(False, told[-1])
        return Proof(True, ", ".join(told))
