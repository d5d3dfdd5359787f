"""nginx_kill: a load balancer dies; systemd starts it again where its unit says so."""

from __future__ import annotations

from typing import ClassVar

from quorate.harness.faults.processes.kill import Kill
from quorate.harness.model.touch import Part, Touch, Way


class NginxKill(Kill):
    """Master and workers at once; every connection through them is lost."""

    name: ClassVar[str] = "nginx_kill"
    summary: ClassVar[str] = "Nginx is killed on the node: the connections through it are lost."
    part: ClassVar[str] = "nginx"
    touches: ClassVar[Touch] = Touch(Part.BALANCER, Way.ENDED)
