"""One machine of an inventory."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Host:
    """``address``: where ssh goes; ``inner``: the cluster's own address, "" where it is the same.
    ``user`` and ``port`` are "" and None where ssh decides."""

    name: str
    address: str
    inner: str = ""
    user: str = ""
    port: int | None = None
    groups: tuple[str, ...] = ()
