"""scheduler_kill: a scheduler dies without giving its lease back."""

from __future__ import annotations

from typing import ClassVar

from quorate.harness.faults.processes.leading import KillLeading
from quorate.harness.model.touch import Part, Touch, Way


class SchedulerKill(KillLeading):
    """Where it led, another one schedules once the lease has run out."""

    name: ClassVar[str] = "scheduler_kill"
    summary: ClassVar[str] = (
        "The scheduler is killed; where it led, nobody schedules until its lease has run out."
    )
    part: ClassVar[str] = "kube-scheduler"
    touches: ClassVar[Touch] = Touch(Part.SCHEDULER, Way.ENDED)
