"""controller_manager_kill: a controller manager dies without giving its lease back."""

from __future__ import annotations

from typing import ClassVar

from quorate.harness.faults.processes.leading import KillLeading
from quorate.harness.model.touch import Part, Touch, Way


class ControllerManagerKill(KillLeading):
    """Where it led, another one takes over once the lease has run out."""

    name: ClassVar[str] = "controller_manager_kill"
    summary: ClassVar[str] = (
        "The controller manager is killed; where it led, none works until its lease has run out."
    )
    part: ClassVar[str] = "kube-controller-manager"
    touches: ClassVar[Touch] = Touch(Part.CONTROLLER_MANAGER, Way.ENDED)
