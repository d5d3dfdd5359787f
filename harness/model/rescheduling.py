"""How the pods that a fault hit were replaced: part of a verdict.

Times are [earliest, latest] in seconds after the injection: seen not yet at the one, seen at the
other.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

Span = tuple[float, float]


class Phase(StrEnum):
    """In the order in which they usually come; each counts from the injection.

    Of the pod that was hit: detect (its node is seen not Ready, or its containers have ended),
    taint (a NoExecute taint on its node), withdrawn (no EndpointSlice has it as ready any more),
    evict (it is ending). Of what takes its place: create (it is there), schedule (it has a node),
    start (its containers run), ready (its condition), endpoint (an EndpointSlice has it as ready),
    first_good_request (the answer to the first of three good samples on end of the service under
    watch that were due after that; who gave it, the answer does not tell).
    """

    DETECT = "detect"
    TAINT = "taint"
    WITHDRAWN = "withdrawn"
    EVICT = "evict"
    CREATE = "create"
    SCHEDULE = "schedule"
    START = "start"
    READY = "ready"
    ENDPOINT = "endpoint"
    FIRST_GOOD = "first_good_request"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PodRescheduling(_Frozen):
    """One pod that was hit.

    ``by``: the pod in its place, or itself where its containers were started again; None: none
    before the undo. ``on``: the node of that. ``phases`` has those that were seen, and all that
    was not seen before the undo is not there.
    """

    pod: str
    node: str
    by: str | None = None
    on: str | None = None
    phases: Mapping[Phase, Span]


class Rescheduling(_Frozen):
    """All pods of one owner that one fault hit; ``owner`` as namespace/name.

    ``served``: when the last of them was replaced and could be sent requests (when it was ready,
    where no EndpointSlice ever had a pod of this owner); None: not before the undo, which came
    ``watched_s`` after the injection.
    ``blind``: nobody told of the pods at the injection, or when the watch ended.
    """

    owner: str
    fault: str
    nodes: tuple[str, ...]
    at: float
    pods: tuple[PodRescheduling, ...]
    served: Span | None
    watched_s: float
    blind: bool = False

    def latest(self) -> dict[Phase, Span]:
        """Each phase as the last of the pods reached it; none that one of them did not reach."""
        return {
            phase: (
                max(pod.phases[phase][0] for pod in self.pods),
                max(pod.phases[phase][1] for pod in self.pods),
            )
            for phase in Phase
            if all(phase in pod.phases for pod in self.pods)
        }
