"""etcd_kill: an etcd member dies; its log and its data stay."""

from __future__ import annotations

from typing import ClassVar

from quorate.harness.faults.processes.kill import Kill
from quorate.harness.model.touch import Part, Touch, Way


class EtcdKill(Kill):
    """Of the member on the node; where it leads, the others elect."""

    name: ClassVar[str] = "etcd_kill"
    summary: ClassVar[str] = "The etcd member's process is killed; the others elect where it led."
    part: ClassVar[str] = "etcd"
    stops_members: ClassVar[bool] = True
    touches: ClassVar[Touch] = Touch(Part.ETCD, Way.ENDED)
