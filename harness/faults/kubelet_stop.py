"""kubelet_stop: a node's kubelet is gone; its pods serve on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from quorate.harness.faults.processes.stop_unit import StopUnit
from quorate.harness.model.touch import Part, Touch, Way


class KubeletStop(StopUnit):
    """The node turns NotReady after the grace period, although its pods are well."""

    name: ClassVar[str] = "kubelet_stop"
    summary: ClassVar[str] = "kubelet is stopped: the node's pods run on, and nobody reports them."
    touches: ClassVar[Touch] = Touch(Part.KUBELET, Way.LEFT)

    def units(self) -> Sequence[str]:
        return ("kubelet",)
