"""haproxy_checks_off: no load balancer looks any more whether an API server works."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.haproxy import CHECKED_PATTERN, UNCHECKED
from quorate.harness.errors import RefusedError
from quorate.harness.faults.contract import Act, Arrangement, Plan, Proof
from quorate.harness.model.cluster import Role
from quorate.harness.model.undo import Undo


class HaproxyChecksOff(Arrangement):
    """By HAProxy's admin socket, so that a restart of HAProxy takes it back too."""

    name: ClassVar[str] = "haproxy_checks_off"
    summary: ClassVar[str] = "Every HAProxy takes every API server for good, unchecked."

    def prepare(self, drivers: Drivers) -> Mapping[str, str]:
        before = {}
        for node in _balancers(drivers):
            servers = drivers.haproxy.addressed(node)
            if not servers:
                raise RefusedError(f"the HAProxy of {node} checks no server as it is")
            before[node] = " ".join(servers)
        if not before:
            raise RefusedError("cluster.yaml names no node with the role load-balancer")
        return before

    def undos(self, drivers: Drivers, *, plan: Plan) -> Sequence[Undo]:
        return [
            Undo(
                id=f"{plan.injection}:{node}",
                injection=plan.injection,
                node=node,
                argv=drivers.haproxy.health_argv("enable", servers.split()),
                confirm_argv=drivers.haproxy.stat_argv(),
                confirm_expect=CHECKED_PATTERN,
                text=f"turn the health checks of HAProxy on {node} on",
            )
            for node, servers in plan.before.items()
        ]

    def acts(self, drivers: Drivers, *, plan: Plan) -> Sequence[Act]:
        return [
            Act(node, drivers.haproxy.health_argv("disable", servers.split()))
            for node, servers in plan.before.items()
        ]

    def proof(self, drivers: Drivers, *, plan: Plan) -> Proof:
        for node in plan.before:
            checked = drivers.haproxy.addressed(node)
            if checked:
                return Proof(False, f"HAProxy on {node} still checks {', '.join(checked)}")
        return Proof(
            True, f"HAProxy says {UNCHECKED!r} of every server on {', '.join(plan.before)}"
        )


def _balancers(drivers: Drivers) -> list[str]:
    return [node.name for node in drivers.cluster.with_role(Role.LOAD_BALANCER)]
