"""apiserver_kill: an API server dies; its port refuses at once."""

from __future__ import annotations

from typing import ClassVar

from quorate.harness.faults.processes.kill import Kill
from quorate.harness.model.touch import Part, Touch, Way


class ApiserverKill(Kill):
    """Of the container that serves; deleting its mirror pod would leave it running."""

    name: ClassVar[str] = "apiserver_kill"
    summary: ClassVar[str] = (
        "The API server's process is killed; its port refuses until kubelet has started another."
    )
    part: ClassVar[str] = "kube-apiserver"
    stops_api: ClassVar[bool] = True
    touches: ClassVar[Touch] = Touch(Part.APISERVER, Way.ENDED)
