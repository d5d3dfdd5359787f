"""controller_manager_pause: a controller manager hangs."""

from __future__ import annotations

from typing import ClassVar

from quorate.harness.faults.processes.leading import PauseLeading
from quorate.harness.model.cluster import Cluster
from quorate.harness.model.touch import Part, Touch, Way


class ControllerManagerPause(PauseLeading):
    """When it goes on it must find that it leads no more."""

    name: ClassVar[str] = "controller_manager_pause"
    summary: ClassVar[str] = (
        "The controller manager is stopped by SIGSTOP; where it led, its lease runs out."
    )
    part: ClassVar[str] = "kube-controller-manager"
    touches: ClassVar[Touch] = Touch(Part.CONTROLLER_MANAGER, Way.HUNG)

    def health_url(self, cluster: Cluster) -> str:
        return "https://127.0.0.1:10257/healthz"
