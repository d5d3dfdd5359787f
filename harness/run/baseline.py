"""What makes a baseline bad, by the judge's own words: one definition of good; pure."""

from __future__ import annotations

from quorate.harness.errors import RefusedError
from quorate.harness.judge.intervals import Counts
from quorate.harness.model.verdict import State, Verdict


def refuse_bad_baseline(so_far: Verdict) -> None:
    """RefusedError that lists what was not good in the baseline, judged from disk."""
    bad = [
        f"{gate.name}: {gate.reason}"
        for gate in so_far.gates
        if gate.name in ("baseline", "prober") and not gate.ok
    ]
    bad += [
        f"{one.indicator} of {', '.join(one.of)}: {one.value:g}, at most {one.bound:g}"
        for one in so_far.objectives
        if one.during == "baseline" and one.state is State.MISSED and one.value is not None
    ]
    if bad:
        raise RefusedError(
            "the baseline is not good, so nothing is injected:\n  " + "\n  ".join(bad)
        )


def refuse_unsteady(seen: Counts) -> None:
    """RefusedError where something was bad after the baseline and before the first act: that is
    none of the fault's."""
    if seen.bad:
        raise RefusedError(
            f"the cluster is not steady any more, so nothing is injected: {seen.bad} sample(s) "
            "were bad since the baseline ended"
        )
