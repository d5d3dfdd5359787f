"""Containers of static pods, by crictl or, where there is none, by containerd's own ctr."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal

from quorate.harness.errors import DriverError
from quorate.harness.transport import Transport

Tool = Literal["crictl", "ctr"]
NAMESPACE = "kube-system"
NAME_LABEL = "io.kubernetes.container.name"
NAMESPACE_LABEL = "io.kubernetes.pod.namespace"

_WHICH = ("sh", "-c", "command -v crictl || command -v ctr || true")
_CTR = ("ctr", "-n", "k8s.io")


@dataclass(frozen=True)
class Container:
    """One running container: its id, and the pid of its first process as the node sees it."""

    id: str
    pid: int


class ContainerDriver:
    """Finds containers of kube-system by their Kubernetes labels. Changes nothing."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._tools: dict[str, Tool | None] = {}

    def tool(self, node: str) -> Tool | None:
        """What the node offers to ask its container runtime; None: nothing."""
        if node not in self._tools:
            path = self._transport.check(node, _WHICH, timeout_s=8.0).stdout.strip()
            word = path.rpartition("/")[2]
            self._tools[node] = "crictl" if word == "crictl" else "ctr" if word == "ctr" else None
        return self._tools[node]

    def running(self, node: str, name: str) -> Container | None:
        """The running container of that name; None where there is none, or no runtime at all.

        DriverError when there are several or an answer cannot be read, TransportError when the
        runtime cannot be asked.
        """
        tool = self.tool(node)
        if tool is None:
            return None
        found = self._by_crictl(node, name) if tool == "crictl" else self._by_ctr(node, name)
        if len(found) > 1:
            raise DriverError(f"{node}: {len(found)} running containers are called {name}")
        return found[0] if found else None

    def all_running(self, node: str) -> tuple[Container, ...]:
        """Every running container of the node, sandboxes included where ctr is asked."""
        tool = self.tool(node)
        if tool is None:
            return ()
        if tool == "ctr":
            tasks = self._transport.check(node, [*_CTR, "tasks", "ls"], timeout_s=8.0).stdout
            return tuple(Container(one, pid) for one, pid in parse_tasks(tasks).items())
        argv = ["crictl", "ps", "--state", "Running", "-q"]
        ids = self._transport.check(node, argv, timeout_s=8.0).stdout.split()
        return tuple(Container(one, self._pid_by_crictl(node, one)) for one in ids)

    def _by_ctr(self, node: str, name: str) -> list[Container]:
        wanted = f'labels."{NAME_LABEL}"=={name},labels."{NAMESPACE_LABEL}"=={NAMESPACE}'
        argv = [*_CTR, "containers", "ls", "-q", wanted]
        ids = self._transport.check(node, argv, timeout_s=8.0).stdout.split()
        tasks = self._transport.check(node, [*_CTR, "tasks", "ls"], timeout_s=8.0).stdout
        running = parse_tasks(tasks)
        return [Container(one, running[one]) for one in ids if one in running]

    def _by_crictl(self, node: str, name: str) -> list[Container]:
        labels = [f"{NAME_LABEL}={name}", f"{NAMESPACE_LABEL}={NAMESPACE}"]
        argv = ["crictl", "ps", "--state", "Running", "-q"]
        argv += [word for label in labels for word in ("--label", label)]
        ids = self._transport.check(node, argv, timeout_s=8.0).stdout.split()
        return [Container(one, self._pid_by_crictl(node, one)) for one in ids]

    def _pid_by_crictl(self, node: str, container: str) -> int:
        argv = ["crictl", "inspect", "--output", "json", container]
        asked = self._transport.check(node, argv, timeout_s=8.0)
        try:
            return int(json.loads(asked.stdout)["info"]["pid"])
        except (ValueError, KeyError, TypeError) as error:
            raise DriverError(f"{node}: `crictl inspect {container}` without a pid") from error


def parse_tasks(text: str) -> dict[str, int]:
    """Container → pid of those that `ctr tasks ls` shows as running (or paused by the runtime)."""
    rows = [line.split() for line in text.splitlines()]
    return {
        row[0]: int(row[1])
        for row in rows
        if len(row) >= 3 and row[1].isdigit() and row[2] in ("RUNNING", "PAUSED")
    }
