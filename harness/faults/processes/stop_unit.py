"""A fault that stops a systemd unit in order; what it had started goes on."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.processes import Process, processes_of, state_of, words_of
from quorate.harness.drivers.systemd import stop_argv
from quorate.harness.errors import RefusedError
from quorate.harness.faults.contract import Act, Fault, Plan, Proof
from quorate.harness.faults.processes import parts
from quorate.harness.model.undo import Undo


class StopUnit(Fault):
    """Subclasses name the units that may do the work (`units`); the first active one is taken."""

    acts_by: ClassVar[str] = "systemctl stop on the node"
    proved_by: ClassVar[str] = (
        "the unit's processes have ended, no other start of it runs, and the containers that ran "
        "before run on"
    )
    undone_by: ClassVar[str] = "systemctl start, confirmed by the unit's state"
    without_harness: ClassVar[str] = parts.WITHOUT_HARNESS

    @abstractmethod
    def units(self) -> Sequence[str]:
        """The names that the unit may have."""

    def prepare(
        self, drivers: Drivers, *, nodes: Sequence[str], arguments: Mapping[str, object]
    ) -> Mapping[str, str]:
        before: dict[str, str] = {}
        for node in nodes:
            asked = (drivers.workloads.unit(node, unit) for unit in self.units())
            found = next(filter(None, asked), None)
            if found is None:
                raise RefusedError(f"{node} has no active unit {' or '.join(self.units())}")
            before[f"unit:{node}"] = found.name
            before[f"id:{node}"] = found.identity
            before[f"processes:{node}"] = words_of(found.processes)
            before[f"containers:{node}"] = words_of(_containers(drivers, node))
        return before

    def undos(self, drivers: Drivers, *, plan: Plan) -> Sequence[Undo]:
        return [parts.start(plan, node, unit=plan.before[f"unit:{node}"]) for node in plan.nodes]

    def acts(self, drivers: Drivers, *, plan: Plan) -> Sequence[Act]:
        return [
            Act(node, stop_argv(plan.before[f"unit:{node}"]), timeout_s=60.0) for node in plan.nodes
        ]

    def proof(self, drivers: Drivers, *, plan: Plan) -> Proof:
        seen = []
        for node in plan.nodes:
            unit = plan.before[f"unit:{node}"]
            table = drivers.processes.table(node)
            first, *_ = parts.processes_before(plan, node)
            if state_of(table, first) is not None or drivers.workloads.unit(node, unit):
                return Proof(False, f"{unit} still runs on {node}")
            pods = processes_of(plan.before[f"containers:{node}"])
            lost = [one.pid for one in pods if state_of(table, one) is None]
            if lost:
                return Proof(False, f"containers of {node} ended with it: pids {lost}")
            seen.append(
                f"process {first.pid} of {unit} on {node} has ended, and its state is "
                f"{drivers.systemd.state(node, unit)}; {len(pods)} containers run on"
            )
        return Proof(True, ", ".join(seen))

    def undone(self, drivers: Drivers, *, plan: Plan) -> Proof:
        seen = []
        for node in plan.nodes:
            unit = plan.before[f"unit:{node}"]
            now = drivers.workloads.unit(node, unit)
            if now is None:
                return Proof(False, f"{unit} does not run on {node}")
            if now.identity == plan.before[f"id:{node}"]:
                return Proof(False, f"{now} on {node} is the same start as before")
            seen.append(f"{now} runs on {node}, another start than before")
        return Proof(True, ", ".join(seen))


def _containers(drivers: Drivers, node: str) -> tuple[Process, ...]:
    table = drivers.processes.table(node)
    pids = (one.pid for one in drivers.containers.all_running(node))
    return tuple(table[pid].process for pid in pids if pid in table)
