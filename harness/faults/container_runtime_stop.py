"""container_runtime_stop: nothing can be started or stopped on a node; what runs, runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from quorate.harness.faults.processes.stop_unit import StopUnit
from quorate.harness.model.touch import Part, Touch, Way


class ContainerRuntimeStop(StopUnit):
    """containerd or CRI-O, whichever is active; kubelet goes on and finds nobody to ask."""

    name: ClassVar[str] = "container_runtime_stop"
    summary: ClassVar[str] = (
        "The container runtime is stopped: containers run on, none can be started or ended."
    )
    touches: ClassVar[Touch] = Touch(Part.CONTAINER_RUNTIME, Way.LEFT)

    def units(self) -> Sequence[str]:
        return ("containerd", "crio", "docker")
