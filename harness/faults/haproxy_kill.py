"""haproxy_kill: a load balancer dies; systemd or kubelet starts it again."""

from __future__ import annotations

from typing import ClassVar

from quorate.harness.faults.processes.kill import Kill
from quorate.harness.model.touch import Part, Touch, Way


class HaproxyKill(Kill):
    """Master and workers at once; every connection through them is lost."""

    name: ClassVar[str] = "haproxy_kill"
    summary: ClassVar[str] = "HAProxy is killed on the node: the connections through it are lost."
    part: ClassVar[str] = "haproxy"
    touches: ClassVar[Touch] = Touch(Part.BALANCER, Way.ENDED)
