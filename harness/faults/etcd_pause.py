"""etcd_pause: an etcd member hangs; its peers' connections stay open."""

from __future__ import annotations

from typing import ClassVar

from quorate.harness.drivers.etcd import METRICS_URL
from quorate.harness.faults.processes.pause import Pause
from quorate.harness.model.cluster import Cluster
from quorate.harness.model.touch import Part, Touch, Way


class EtcdPause(Pause):
    """Where it led, the others elect; when it goes on it must find that it leads no more."""

    name: ClassVar[str] = "etcd_pause"
    summary: ClassVar[str] = (
        "The etcd member is stopped by SIGSTOP: it hangs with all its connections open."
    )
    part: ClassVar[str] = "etcd"
    stops_members: ClassVar[bool] = True
    touches: ClassVar[Touch] = Touch(Part.ETCD, Way.HUNG)

    def health_url(self, cluster: Cluster) -> str:
        return f"{METRICS_URL}/health"
