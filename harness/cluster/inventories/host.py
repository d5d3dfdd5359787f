"""One machine of an inventory, and what every format says in its own words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Host:
    """``address``: where ssh goes; ``inner``: the cluster's own address, "" where it is the same.
    ``user`` and ``port`` are "" and None where ssh decides; ``ssh_options`` are words of ssh's
    command line (a jump host, a key file)."""

    name: str
    address: str
    inner: str = ""
    user: str = ""
    port: int | None = None
    groups: tuple[str, ...] = ()
    ssh_options: tuple[str, ...] = ()


def jump(address: str, *, user: str = "", port: str = "") -> tuple[str, ...]:
    """ssh's words for a way through a jump host; its own key is for ~/.ssh/config to name."""
    place = f"[{address}]" if ":" in address else address
    return "-J", (f"{user}@" if user else "") + place + (f":{port}" if port else "")


def key_file(path: str) -> tuple[str, ...]:
    """ssh's words for a private key; none for none."""
    return ("-i", path) if path else ()


def number(port: str) -> int | None:
    """A TCP port; None where it is none, so that ssh decides."""
    return int(port) if port.isdigit() and 0 < int(port) < 65536 else None
