"""A fault that ends a component's processes at once; whoever runs it must start it again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.clock import wait_until
from quorate.harness.drivers.processes import signal_argv
from quorate.harness.faults.contract import Act, Fault, Plan, Proof
from quorate.harness.faults.processes import parts
from quorate.harness.model.undo import Undo

BACK_TIMEOUT_S = 60.0
"""kubelet waits longer before each new start of what ended often: 10, 20, 40 s."""


class Kill(Fault):
    """Subclasses name the component (`part`)."""

    part: ClassVar[str]
    """The container of a static pod, or the systemd unit, that runs it."""
    acts_by: ClassVar[str] = "SIGKILL to its processes, each known by pid and start time"
    proved_by: ClassVar[str] = (
        "those processes have ended, and no container (unit) or another one runs in their place"
    )
    undone_by: ClassVar[str] = (
        "nothing is left to take back: kubelet starts the container again; a unit is started"
    )
    without_harness: ClassVar[str] = parts.WITHOUT_HARNESS

    def prepare(
        self, drivers: Drivers, *, nodes: Sequence[str], arguments: Mapping[str, object]
    ) -> Mapping[str, str]:
        return parts.look(drivers, nodes=nodes, part=self.part)

    def undos(self, drivers: Drivers, *, plan: Plan) -> Sequence[Undo]:
        undos = []
        for node in plan.nodes:
            if parts.is_unit(plan, node):
                undos.append(parts.start(plan, node, unit=self.part))
            undos.append(parts.resume(plan, node, part=self.part))
        return undos

    def acts(self, drivers: Drivers, *, plan: Plan) -> Sequence[Act]:
        return [
            Act(node, signal_argv("KILL", parts.processes_before(plan, node)))
            for node in plan.nodes
        ]

    def proof(self, drivers: Drivers, *, plan: Plan) -> Proof:
        return self._ended(drivers, plan=plan)

    def undone(self, drivers: Drivers, *, plan: Plan) -> Proof:
        """What was killed runs again, by another start; asked for `BACK_TIMEOUT_S` at most."""
        seen = self._ended(drivers, plan=plan)
        if not seen.ok:
            return seen

        def back() -> bool:
            nonlocal seen
            seen = self._ended(drivers, plan=plan, must_run=True)
            return seen.ok

        wait_until(drivers.clock, back, timeout_s=BACK_TIMEOUT_S, period_s=0.5)
        return seen

    def _ended(self, drivers: Drivers, *, plan: Plan, must_run: bool = False) -> Proof:
        seen = []
        for node in plan.nodes:
            first, *_ = now = parts.states(drivers, plan=plan, node=node)
            alive = [one.pid for one, state in now.items() if state is not None]
            if alive:
                return Proof(False, f"{self.part} on {node} still has its process {alive[0]}")
            instead = parts.in_its_place(
                drivers, plan=plan, node=node, part=self.part, must_run=must_run
            )
            if not instead:
                return Proof(False, f"{node} shows no other start of {self.part}")
            seen.append(f"process {first.pid} of {self.part} on {node} has ended; {instead}")
        return Proof(True, ", ".join(seen))
