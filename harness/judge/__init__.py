"""(experiment, timeline) → verdict. Pure: reads no clock, no disk, no cluster."""

from __future__ import annotations

from quorate.harness.judge.judging import judge

__all__ = ["judge"]
