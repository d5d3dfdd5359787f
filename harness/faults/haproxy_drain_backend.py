"""haproxy_drain_backend: every load balancer stops sending new connections to one API server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.haproxy import FORCED_DRAIN, UNIT, Server, ready_pattern
from quorate.harness.errors import RefusedError
from quorate.harness.faults.contract import Act, Fault, Plan, Proof
from quorate.harness.faults.processes.parts import refuse_other_balancer
from quorate.harness.model.cluster import Role
from quorate.harness.model.touch import Part, Touch, Way
from quorate.harness.model.undo import Undo


class HaproxyDrainBackend(Fault):
    """The target is the node whose API server is drained; the orders go to all HAProxies."""

    name: ClassVar[str] = "haproxy_drain_backend"
    summary: ClassVar[str] = (
        "An API server is drained at every HAProxy: open connections stay, no new one comes."
    )
    acts_by: ClassVar[str] = "`set server … state drain` at the admin socket of every HAProxy"
    proved_by: ClassVar[str] = "`show servers state` of every HAProxy tells the drain"
    undone_by: ClassVar[str] = "`set server … state ready`, confirmed by `show servers state`"
    without_harness: ClassVar[str] = (
        "the guardian; without it, the dead man's switch on each node; a restart of HAProxy"
    )
    stops_api: ClassVar[bool] = True
    touches: ClassVar[Touch] = Touch(Part.BACKEND, Way.LEFT)

    def prepare(
        self, drivers: Drivers, *, nodes: Sequence[str], arguments: Mapping[str, object]
    ) -> Mapping[str, str]:
        refuse_other_balancer(drivers.cluster, UNIT)
        before: dict[str, str] = {}
        for at in _balancers(drivers):
            found = _servers(drivers, at, nodes)
            if not found:
                raise RefusedError(f"the HAProxy of {at} has no server at {', '.join(nodes)}")
            ordered = [one.path for one in found if one.admin_state]
            if ordered:
                raise RefusedError(
                    f"{at}: {ordered[0]} is in maintenance or drained already; "
                    f"`set server {ordered[0]} state ready` at its admin socket ends that"
                )
            before[f"servers:{at}"] = " ".join(one.path for one in found)
        if not before:
            raise RefusedError("cluster.yaml names no node with the role load-balancer")
        return before

    def undos(self, drivers: Drivers, *, plan: Plan) -> Sequence[Undo]:
        return [
            Undo(
                id=f"{plan.injection}:{at}",
                injection=plan.injection,
                node=at,
                argv=drivers.haproxy.ready_argv(servers, tag=plan.word),
                confirm_argv=drivers.haproxy.state_argv(),
                confirm_expect=ready_pattern(servers),
                text=f"put the servers of {', '.join(plan.nodes)} in service at HAProxy on {at}",
            )
            for at, servers in _planned(plan).items()
        ]

    def acts(self, drivers: Drivers, *, plan: Plan) -> Sequence[Act]:
        return [
            Act(at, drivers.haproxy.drain_argv(servers)) for at, servers in _planned(plan).items()
        ]

    def proof(self, drivers: Drivers, *, plan: Plan) -> Proof:
        for at, servers in _planned(plan).items():
            drained = {one.path for one in drivers.haproxy.servers_state(at) if _is_drained(one)}
            for one in servers:
                if one.path not in drained:
                    return Proof(False, f"{one.path} is not drained at {at}")
        told = ", ".join(_planned(plan))
        return Proof(True, f"the server of {', '.join(plan.nodes)} is drained, say {told}")

    def undone(self, drivers: Drivers, *, plan: Plan) -> Proof:
        for at, servers in _planned(plan).items():
            now = {one.path: one for one in drivers.haproxy.servers_state(at)}
            for one in servers:
                if one.path not in now or now[one.path].admin_state:
                    return Proof(False, f"{one.path} is not in service at {at}")
            if not drivers.processes.logged(at, plan.word):
                return Proof(False, f"nothing tells that a server was drained at {at}")
        return Proof(True, f"in service at {', '.join(_planned(plan))}, found drained until then")


def _balancers(drivers: Drivers) -> list[str]:
    return [node.name for node in drivers.cluster.with_role(Role.LOAD_BALANCER)]


def _servers(drivers: Drivers, at: str, nodes: Sequence[str]) -> list[Server]:
    addresses = {drivers.cluster.node(node).address for node in nodes}
    return [one for one in drivers.haproxy.servers_state(at) if one.address in addresses]


def _planned(plan: Plan) -> dict[str, list[Server]]:
    """Load balancer → the servers that are drained there."""
    found = {}
    for key, words in plan.before.items():
        kind, _, at = key.partition(":")
        if kind == "servers":
            paths = (word.split("/", 1) for word in words.split())
            found[at] = [Server(backend, name) for backend, name in paths]
    return found


def _is_drained(server: Server) -> bool:
    return bool(server.admin_state & FORCED_DRAIN)
