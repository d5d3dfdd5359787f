"""A fault that stops a component's processes: connections are accepted, nobody answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.processes import signal_argv
from quorate.harness.faults.contract import Act, Fault, Plan, Proof
from quorate.harness.faults.processes import parts
from quorate.harness.model.cluster import Cluster
from quorate.harness.model.undo import Undo


class Pause(Fault):
    """Subclasses name the component (`part`) and where it answers (`health_url`)."""

    part: ClassVar[str]
    """The container of a static pod, or the systemd unit, that runs it."""
    acts_by: ClassVar[str] = "SIGSTOP to its processes, each known by pid and start time"
    proved_by: ClassVar[str] = "state T in /proc, and its health endpoint says nothing any more"
    undone_by: ClassVar[str] = "SIGCONT to the same processes, confirmed by their state"
    without_harness: ClassVar[str] = parts.WITHOUT_HARNESS

    def health_url(self, cluster: Cluster) -> str:
        """Where it answers on its own node, in health; "" where nowhere."""
        return ""

    def prepare(
        self, drivers: Drivers, *, nodes: Sequence[str], arguments: Mapping[str, object]
    ) -> Mapping[str, str]:
        return parts.look(drivers, nodes=nodes, part=self.part)

    def undos(self, drivers: Drivers, *, plan: Plan) -> Sequence[Undo]:
        return [parts.resume(plan, node, part=self.part) for node in plan.nodes]

    def acts(self, drivers: Drivers, *, plan: Plan) -> Sequence[Act]:
        return [
            Act(node, signal_argv("STOP", parts.processes_before(plan, node)))
            for node in plan.nodes
        ]

    def proof(self, drivers: Drivers, *, plan: Plan) -> Proof:
        seen = []
        url = self.health_url(drivers.cluster)
        for node in plan.nodes:
            for one, state in parts.states(drivers, plan=plan, node=node).items():
                if state != "T":
                    told = f"in state {state}, not T" if state else "not there any more"
                    return Proof(False, f"process {one.pid} of {self.part} on {node} is {told}")
            pids = ", ".join(str(one.pid) for one in parts.processes_before(plan, node))
            seen.append(f"{self.part} on {node} is stopped (state T: {pids})")
            if url:
                if drivers.processes.answers(node, url) is not False:
                    return Proof(False, f"{self.part} on {node} still answers at {url}")
                seen.append(f"nothing answers at {url} there")
        return Proof(True, ", ".join(seen))

    def undone(self, drivers: Drivers, *, plan: Plan) -> Proof:
        seen = []
        for node in plan.nodes:
            now = parts.states(drivers, plan=plan, node=node)
            stopped = [one.pid for one, state in now.items() if state == "T"]
            if stopped:
                return Proof(False, f"process {stopped[0]} on {node} is still stopped")
            first = next(iter(now))
            if now[first] is None:
                instead = parts.in_its_place(drivers, plan=plan, node=node, part=self.part)
                seen.append(f"process {first.pid} on {node} was ended meanwhile; {instead}")
            elif drivers.processes.logged(node, plan.word):
                seen.append(f"{self.part} on {node} runs again, found stopped until then")
            else:
                return Proof(False, f"nothing tells that {self.part} on {node} ever was stopped")
        return Proof(True, ", ".join(seen))
