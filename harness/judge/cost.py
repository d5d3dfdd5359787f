"""What a fault cost clients, as one number; pure."""

from __future__ import annotations

from quorate.harness.model.experiment import Experiment
from quorate.harness.model.verdict import Verdict


def outage_cost_s(experiment: Experiment, verdict: Verdict) -> float | None:
    """Seconds without service in the fault phase: of the probe that was out longest in all.

    Each judged probe at the shortest deadline that it is judged at. Paths that fail at the same
    time fail the same clients, so they are not added up. None where something was broken and no
    probe tells what it cost.
    """
    judged = {(name, experiment.deadlines_s(name)[0]) for name in experiment.judged_probes}
    found = [one.total_s for one in verdict.clients if (one.probe, one.deadline_s) in judged]
    if not found and judged and verdict.story.injected_at is not None:
        return None
    return max(found, default=0.0)
