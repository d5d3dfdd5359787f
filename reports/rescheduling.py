"""How pods were replaced, as lines: a waterfall for each owner."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from quorate.harness.model.rescheduling import Phase, Rescheduling

FIRST_GOOD = "first good request"


def rescheduling_lines(found: Sequence[Rescheduling]) -> Iterator[str]:
    """For each owner what became of its pods, and when the last of them reached each phase."""
    for one in found:
        yield f"{one.owner}, {_pods(one)} on {', '.join(one.nodes)}: {_outcome(one)}"
        if phases := _waterfall(one):
            yield f"  {phases}"


def _pods(one: Rescheduling) -> str:
    return "1 pod" if len(one.pods) == 1 else f"{len(one.pods)} pods"


def _outcome(one: Rescheduling) -> str:
    if one.served is None:
        blind = ", and at the injection or the end nobody told of pods" if one.blind else ""
        return (
            f"not all replaced when the watch ended, {one.watched_s:.2f} s after {one.fault}{blind}"
        )
    low, high = one.served
    word = "served again" if all(pod.by == pod.pod for pod in one.pods) else "replaced"
    return f"{word} {high:.2f} s ({low:.2f} to {high:.2f}) after {one.fault}"


def _waterfall(one: Rescheduling) -> str:
    """`detect 50.12 → taint 50.15 → …`; seconds after the injection, as they were heard."""
    steps = [
        f"{FIRST_GOOD if phase is Phase.FIRST_GOOD else phase} {high:.2f}"
        for phase, (_, high) in one.latest().items()
    ]
    return f"{' → '.join(steps)} s" if steps else ""
