"""kubelet_at_one_apiserver: a worker's kubelet knows one API server, no load balancer."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar
from urllib.parse import urlsplit

from quorate.harness.drivers import kubelet
from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.files import cover_by_argv, uncover_argv, uncovered_and
from quorate.harness.drivers.kube import API_SERVER_PORT
from quorate.harness.errors import RefusedError
from quorate.harness.faults.contract import Act, Arrangement, Plan, Proof
from quorate.harness.faults.covers.manifest import refuse_covered
from quorate.harness.model.undo import Undo

CONNECTED_S = 60.0
"""kubelet is started anew, and asks for its node."""


class KubeletAtOneApiserver(Arrangement):
    """The last worker's, at the first control plane: without that one the node is given up."""

    name: ClassVar[str] = "kubelet_at_one_apiserver"
    summary: ClassVar[str] = "kubelet of the last worker goes to the first control plane's API."
    proof_timeout_s: ClassVar[float] = CONNECTED_S

    def prepare(self, drivers: Drivers, *, arguments: Mapping[str, object]) -> Mapping[str, str]:
        if not drivers.cluster.workers:
            raise RefusedError("cluster.yaml names no worker")
        node = drivers.cluster.workers[-1].name
        refuse_covered(drivers, node=node, path=kubelet.KUBECONFIG)
        if drivers.workloads.unit(node, kubelet.UNIT) is None:
            raise RefusedError(f"{node} runs no systemd unit {kubelet.UNIT}")
        one = f"{drivers.cluster.control_planes[0].address}:{API_SERVER_PORT}"
        before = urlsplit(drivers.kubelet.server(node))
        if before.netloc == one:
            raise RefusedError(f"kubelet on {node} goes to {one} already")
        return {"node": node, "one": one, "port": str(before.port or 443)}

    def undos(self, drivers: Drivers, *, plan: Plan) -> Sequence[Undo]:
        node, path = plan.before["node"], kubelet.KUBECONFIG
        argv = uncover_argv(path, folder=plan.folder, tag=plan.word, unit=kubelet.UNIT)
        # Connected again, and not to that one.
        other, one = re.escape(plan.before["port"]), re.escape(plan.before["one"])
        return [
            Undo(
                id=f"{plan.injection}:{node}",
                injection=plan.injection,
                node=node,
                argv=argv,
                confirm_argv=uncovered_and(path, kubelet.PEERS_ARGV),
                confirm_expect=rf"\A(?=[\s\S]*^\S+:{other}$)(?![\s\S]*^{one}$)",
                confirm_timeout_s=CONNECTED_S,
                text=f"uncover {path} on {node}, and start kubelet anew",
            )
        ]

    def acts(self, drivers: Drivers, *, plan: Plan) -> Sequence[Act]:
        other = kubelet.with_server_argv(f"https://{plan.before['one']}")
        argv = cover_by_argv(kubelet.KUBECONFIG, other, folder=plan.folder, unit=kubelet.UNIT)
        return [Act(plan.before["node"], argv)]

    def proof(self, drivers: Drivers, *, plan: Plan) -> Proof:
        node, one = plan.before["node"], plan.before["one"]
        peers = drivers.kubelet.peers(node)
        told = f"kubelet on {node} is connected to {', '.join(peers) or 'nobody'}"
        left = [peer for peer in peers if peer != one and peer.endswith(f":{plan.before['port']}")]
        return Proof(one in peers and not left, told)
