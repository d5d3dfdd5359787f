"""What is public of a node's certificates and kubeconfigs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Certificate:
    """``until`` in UTC; ``names``: the host names and addresses that it is for."""

    path: str
    subject: str
    until: datetime
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class PublicFiles:
    """One node's. ``servers``: path of a kubeconfig → the URL of its API server."""

    certificates: tuple[Certificate, ...] = ()
    servers: Mapping[str, str] = field(default_factory=dict)
