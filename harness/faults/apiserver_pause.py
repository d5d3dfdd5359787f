"""apiserver_pause: an API server accepts and never answers."""

from __future__ import annotations

from typing import ClassVar

from quorate.harness.faults.processes.pause import Pause
from quorate.harness.model.cluster import Cluster
from quorate.harness.model.touch import Part, Touch, Way


class ApiserverPause(Pause):
    """kubelet's liveness probe ends it after about two minutes, should it last that long."""

    name: ClassVar[str] = "apiserver_pause"
    summary: ClassVar[str] = (
        "The API server is stopped by SIGSTOP: it accepts connections and never answers."
    )
    part: ClassVar[str] = "kube-apiserver"
    stops_api: ClassVar[bool] = True
    touches: ClassVar[Touch] = Touch(Part.APISERVER, Way.HUNG)

    def health_url(self, cluster: Cluster) -> str:
        return "https://127.0.0.1:6443/livez"
