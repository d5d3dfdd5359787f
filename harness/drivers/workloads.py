"""A component of the cluster on one node, whichever way it is run there: discovered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from quorate.harness.drivers.containers import ContainerDriver
from quorate.harness.drivers.processes import Process, ProcessDriver, tree
from quorate.harness.errors import RefusedError
from quorate.harness.transport import Transport

_PROPERTIES = "ActiveState,MainPID,InvocationID"


@dataclass(frozen=True)
class Workload:
    """One start of a component.

    how -- "container" (a static pod's, which kubelet starts again) or "unit" (systemd's).
    identity -- the container's id, or the unit's invocation id: another one at each start.
    processes -- the first one and its descendants, parents first.
    """

    name: str
    how: Literal["container", "unit"]
    identity: str
    processes: tuple[Process, ...]

    def __str__(self) -> str:
        return f"{self.how} {self.identity[:12]} of {self.name} (pid {self.processes[0].pid})"


class WorkloadDriver:
    """Finds what runs. Changes nothing."""

    def __init__(
        self, transport: Transport, *, containers: ContainerDriver, processes: ProcessDriver
    ) -> None:
        self._transport = transport
        self._containers = containers
        self._processes = processes

    def find(self, node: str, name: str) -> Workload | None:
        """The component by its name; None when it does not run there.

        DriverError and TransportError when the node cannot tell.
        """
        return self.unit(node, name) or self._container(node, name)

    def demand(self, node: str, name: str) -> Workload:
        """The same; RefusedError when it does not run there."""
        found = self.find(node, name)
        if found is None:
            if self._containers.tool(node) is None:
                remedy = "install crictl or ctr, if it is a container there"
            else:
                remedy = "start it, or choose another node"
            raise RefusedError(
                f"{node} runs no {name}, neither as a systemd unit nor as a container of "
                f"kube-system: {remedy}"
            )
        return found

    def unit(self, node: str, name: str) -> Workload | None:
        """A systemd unit that is active and has a main process."""
        argv = ["systemctl", "show", "-p", _PROPERTIES, f"{name}.service"]
        asked = self._transport.run(node, argv, timeout_s=8.0)
        shown = dict(line.split("=", 1) for line in asked.stdout.splitlines() if "=" in line)
        if shown.get("ActiveState") != "active" or shown.get("MainPID", "0") == "0":
            return None
        processes = tree(self._processes.table(node), int(shown["MainPID"]))
        return Workload(name, "unit", shown["InvocationID"], processes) if processes else None

    def _container(self, node: str, name: str) -> Workload | None:
        container = self._containers.running(node, name)
        if container is None:
            return None
        processes = tree(self._processes.table(node), container.pid)
        return Workload(name, "container", container.id, processes) if processes else None
