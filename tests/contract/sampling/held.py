"""Who holds the control FIFO of a sampler; imports nothing of ours: `systemctl` here uses it."""

from __future__ import annotations

import os
from pathlib import Path


def processes(folder: Path) -> list[int]:
    """Those whose stdin is the control FIFO of a sampler below that folder."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            path = os.readlink(entry / "fd" / "0")
        except OSError:
            continue
        if path.removesuffix(" (deleted)").startswith(f"{folder}/") and "control" in path:
            found.append(int(entry.name))
    return found
