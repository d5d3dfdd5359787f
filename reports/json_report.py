"""A verdict for machines: the text of verdict.json."""

from __future__ import annotations

from quorate.harness.model.verdict import Verdict


def render_json(verdict: Verdict) -> str:
    """Sorted keys, two spaces, a newline at the end; equal byte for byte to verdict.json."""
    return verdict.to_json()
