"""What etcd says of its members and of how much it keeps."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class EtcdMember:
    """One member as the list has it. ``name`` is empty until it has started once."""

    id: str
    name: str
    peer_hosts: tuple[str, ...]
    learner: bool = False


@dataclass(frozen=True)
class EtcdStatus:
    """What one member answers. ``leader`` is the member's id, empty where it knows none;
    ``quota_bytes`` None where it does not tell (before 3.6)."""

    version: str
    leader: str
    db_bytes: int
    quota_bytes: int | None = None
