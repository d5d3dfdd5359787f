"""How what is ours on a Kubernetes object is called."""

from __future__ import annotations

PREFIX = "quorate/"
LABEL = f"{PREFIX}mark"
"""On objects that are ours altogether; its value is the mark of what made them."""


def annotation(mark: str) -> str:
    """On an object that is not ours, one for each change: two changes may meet on one object."""
    return f"{PREFIX}{mark}"
