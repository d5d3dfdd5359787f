"""vip_drop: keepalived goes from the VIP's holder; the machine and its HAProxy stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.clock import wait_until
from quorate.harness.drivers.keepalived import UNIT
from quorate.harness.drivers.processes import signal_argv
from quorate.harness.drivers.systemd import stop_argv
from quorate.harness.errors import RefusedError
from quorate.harness.faults.contract import Act, Fault, Parameter, Plan, Proof
from quorate.harness.faults.processes import parts
from quorate.harness.model.touch import Part, Touch, Way
from quorate.harness.model.undo import Undo

WAYS: Mapping[str, Way] = {"stop": Way.LEFT, "kill": Way.ENDED, "pause": Way.HUNG}
ONE_HOLDER_TIMEOUT_S = 15.0
"""A master that comes back yields or takes within some adverts; 15 s is ten times the default."""


class VipDrop(Fault):
    """stop: with a farewell advert. kill, pause: without, and the address stays where it was, so
    that two machines hold it as soon as another one has taken over."""

    name: ClassVar[str] = "vip_drop"
    summary: ClassVar[str] = "keepalived goes from the VIP's holder: in order, killed or paused."
    acts_by: ClassVar[str] = (
        "how: stop (systemctl stop), kill (SIGKILL) or pause (SIGSTOP) of keepalived's processes"
    )
    proved_by: ClassVar[str] = (
        "its processes have ended (are in state T), and another node holds the VIP, or "
        "sees nothing answer there; afterwards one node and no more holds it"
    )
    undone_by: ClassVar[str] = "SIGCONT to the same processes, and systemctl start"
    without_harness: ClassVar[str] = parts.WITHOUT_HARNESS
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("how", str, "stop", "stop, kill, or pause", words=tuple(WAYS)),
    )

    def touch(self, arguments: Mapping[str, object]) -> Touch:
        return Touch(Part.KEEPALIVED, WAYS[str(arguments["how"])])

    def prepare(
        self, drivers: Drivers, *, nodes: Sequence[str], arguments: Mapping[str, object]
    ) -> Mapping[str, str]:
        for node in nodes:
            if not drivers.keepalived.holds(node):
                raise RefusedError(f"{node} does not hold the VIP: choose the target vip-holder")
        before = parts.look(drivers, nodes=nodes, part=UNIT)
        for node in nodes:
            if before[f"how:{node}"] != "unit":
                raise RefusedError(f"keepalived on {node} is no systemd unit, which this needs")
        return before

    def undos(self, drivers: Drivers, *, plan: Plan) -> Sequence[Undo]:
        undos = []
        for node in plan.nodes:
            undos += [
                parts.start(plan, node, unit=UNIT),
                parts.resume(plan, node, part=UNIT),
            ]
        return undos

    def acts(self, drivers: Drivers, *, plan: Plan) -> Sequence[Act]:
        how = plan.arguments["how"]
        return [
            Act(node, stop_argv(UNIT))
            if how == "stop"
            else Act(
                node,
                signal_argv(
                    "KILL" if how == "kill" else "STOP", parts.processes_before(plan, node)
                ),
            )
            for node in plan.nodes
        ]

    def proof(self, drivers: Drivers, *, plan: Plan) -> Proof:
        seen = []
        wanted = "T" if plan.arguments["how"] == "pause" else None
        for node in plan.nodes:
            now = parts.states(drivers, plan=plan, node=node)
            # Not its children: a check that it had started may have ended by itself.
            first = next(iter(now))
            if now[first] != wanted:
                return Proof(False, f"keepalived on {node} is in state {now[first]}")
            word = "is stopped (state T)" if wanted else "has ended"
            seen.append(f"process {first.pid} of keepalived on {node} {word}")
        vip = _moved(drivers, plan.nodes)
        return Proof(vip.ok, ", ".join([*seen, vip.evidence]))

    def undone(self, drivers: Drivers, *, plan: Plan) -> Proof:
        seen = []
        for node in plan.nodes:
            now = parts.states(drivers, plan=plan, node=node)
            first = next(iter(now))
            if now[first] == "T":
                return Proof(False, f"keepalived on {node} is still stopped")
            if now[first] is None:
                instead = parts.in_its_place(
                    drivers, plan=plan, node=node, part=UNIT, must_run=True
                )
                if not instead:
                    return Proof(False, f"no other start of keepalived runs on {node}")
                seen.append(f"process {first.pid} has ended; {instead}")
            elif drivers.processes.logged(node, plan.word):
                seen.append(f"keepalived on {node} runs again, found stopped until then")
            else:
                return Proof(False, f"nothing tells that keepalived on {node} was ever off")
        holder = _one_holder(drivers)
        return Proof(holder.ok, ", ".join([*seen, holder.evidence]))


def _may_hold(drivers: Drivers, but: Sequence[str] = ()) -> list[str]:
    return [node.name for node in drivers.cluster.may_hold_vip if node.name not in but]


def _moved(drivers: Drivers, dropped: Sequence[str]) -> Proof:
    """Seen from other machines: somebody has taken the VIP over, or nobody could."""
    others = _may_hold(drivers, dropped)
    left = [node for node in dropped if drivers.keepalived.holds(node)]
    stays = f"; the address also stays on {', '.join(left)}" if left else ""
    holders = drivers.keepalived.holders(others)
    if holders:
        return Proof(True, f"{holders[0]} holds the VIP now{stays}")
    if any(drivers.systemd.state(node, UNIT) == "active" for node in others):
        return Proof(False, f"no other node holds the VIP yet{stays}")
    if left:
        return Proof(True, f"no backup is left to take it over{stays}")
    if others and drivers.keepalived.answers_from(others[0]) is False:
        return Proof(True, f"seen from {others[0]}, nothing answers at the VIP")
    return Proof(False, "the VIP still answers, and nobody is known to hold it")


def _one_holder(drivers: Drivers) -> Proof:
    seen: list[str] = []

    def one() -> bool:
        seen[:] = drivers.keepalived.holders(_may_hold(drivers))
        return len(seen) == 1

    ok = wait_until(drivers.clock, one, timeout_s=ONE_HOLDER_TIMEOUT_S, period_s=0.5)
    return Proof(ok, f"the VIP is held by {', '.join(seen) or 'nobody'}")
