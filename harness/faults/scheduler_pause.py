"""scheduler_pause: a scheduler hangs; it must find, later, that it leads no more."""

from __future__ import annotations

from typing import ClassVar

from quorate.harness.faults.processes.leading import PauseLeading
from quorate.harness.model.cluster import Cluster
from quorate.harness.model.touch import Part, Touch, Way


class SchedulerPause(PauseLeading):
    """Where it led, another one schedules once the lease has run out."""

    name: ClassVar[str] = "scheduler_pause"
    summary: ClassVar[str] = (
        "The scheduler is stopped by SIGSTOP; where it led, its lease runs out."
    )
    part: ClassVar[str] = "kube-scheduler"
    touches: ClassVar[Touch] = Touch(Part.SCHEDULER, Way.HUNG)

    def health_url(self, cluster: Cluster) -> str:
        return "https://127.0.0.1:10259/healthz"
