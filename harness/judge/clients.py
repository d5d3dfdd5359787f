"""What clients saw while the fault was on, at every deadline that a client may have.

A number without its deadline means nothing: an outage of three seconds is none at all for clients
that wait for twenty (reference/timings_and_slos.md §2.7).
"""

from __future__ import annotations

from quorate.harness.judge.evidence import Evidence
from quorate.harness.judge.phases import Phase
from quorate.harness.model.verdict import Rung

LADDER_S = (0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
"""Deadlines that are always told, as far as the probe waits (reference §2.8, rule 3)."""


def ladder(evidence: Evidence) -> tuple[Rung, ...]:
    """Every probe at every deadline, in the fault phase; empty where there was none."""
    phase = evidence.phases.get("fault")
    if phase is None:
        return ()
    return tuple(
        _rung(probe, evidence, deadline_s=deadline_s, phase=phase)
        for probe in evidence.experiment.probes
        for deadline_s in _deadlines(probe, evidence)
    )


def _deadlines(probe: str, evidence: Evidence) -> list[float]:
    longest = evidence.experiment.hard_timeout_s(probe)
    asked = evidence.experiment.deadlines_s(probe)
    return sorted({*asked, *(rung for rung in LADDER_S if rung <= longest)})


def _rung(probe: str, evidence: Evidence, *, deadline_s: float, phase: Phase) -> Rung:
    counted = evidence.counts(probe, deadline_s=deadline_s, phase=phase)
    waited_s = evidence.experiment.hard_timeout_s(probe)
    failed = min(counted.bad, evidence.counts(probe, deadline_s=waited_s, phase=phase).bad)
    seen = evidence.seen(probe, deadline_s=deadline_s, phase=phase)
    lengths = [interval.length_s for interval in seen.found]
    return Rung(
        probe=probe,
        deadline_s=deadline_s,
        samples=counted.total,
        failed=failed,
        slow=counted.bad - failed,
        unknown=counted.unknown,
        outages=len(lengths),
        longest_s=round(max(lengths, default=0.0), 6),
        total_s=round(sum(lengths), 6),
        weighted_s=round(seen.weighted_s, 6),
        censored=any(interval.censored for interval in seen.found),
        scattered=seen.scatter is not None,
    )
