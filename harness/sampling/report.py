"""What the sampler says about itself at its end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class SamplerReport:
    """Policy, lateness and counts; times in seconds.

    Args:
        complete: it ended in order and wrote every sample.
        problem: why not, where it did not.
        policy: how it was scheduled, and why not in real time where it was not.
        lateness_s: p50, p99, p99.9 and max of ``sent − due`` over all ticks.
        probes: probe → ticks, OK, FAILED, UNKNOWN, late.
        stalls, stalled_s: how often and how long the sampler was kept from looking.
    """

    complete: bool
    problem: str = ""
    policy: str = ""
    nofile: int = 0
    lateness_s: Mapping[str, float | None] = field(default_factory=dict)
    probes: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    stalls: int = 0
    stalled_s: float = 0.0

    @classmethod
    def of(cls, said: Mapping[str, Any], *, problem: str = "") -> SamplerReport:
        """From the program's last message; an empty one is an incomplete report."""
        known = {key: said[key] for key in cls.__dataclass_fields__ if key in said}
        return cls(complete=bool(said) and not problem, problem=problem, **known)

    def to_dict(self) -> dict[str, Any]:
        """For sampler.json."""
        return asdict(self)
