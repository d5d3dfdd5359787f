"""nginx_pause: a load balancer accepts and never answers."""

from __future__ import annotations

from typing import ClassVar

from quorate.harness.faults.processes.pause import Pause
from quorate.harness.model.cluster import Cluster
from quorate.harness.model.touch import Part, Touch, Way


class NginxPause(Pause):
    """The kernel goes on accepting for it: only a check that waits for an answer notices."""

    name: ClassVar[str] = "nginx_pause"
    summary: ClassVar[str] = (
        "Nginx is stopped by SIGSTOP on the node: it accepts connections and passes nothing on."
    )
    part: ClassVar[str] = "nginx"
    touches: ClassVar[Touch] = Touch(Part.BALANCER, Way.HUNG)

    def health_url(self, cluster: Cluster) -> str:
        return cluster.monitor_url
