"""Objectives: an indicator (a number computed from the timeline) and the bound that it must keep.

Each is one line of an experiment. Units stand at the end of an indicator's name (``pct``: per
cent); ``outages`` and ``bad_samples`` count. What each number means is told in docs/objectives.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from quorate.harness.model.service import NAME, NAMESPACE
from quorate.harness.model.strict import Number, Strict

DEADLINE_S = 1.0
"""Deadline of a read where none is given (reference/timings_and_slos.md §2.8)."""

During = Literal["baseline", "fault", "return", "run"]
"""Phases. ``run``: from the start of the baseline to the end of the return leg."""


def _names(value: object) -> object:
    if isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


# YAML has lists where we keep tuples.
Names = Annotated[
    tuple[str, ...],
    BeforeValidator(_names),
    Field(min_length=1),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {"type": "array", "items": {"type": "string"}, "minItems": 1},
            ]
        }
    ),
]


class OfOneProbe(Strict):
    """One probe's samples, judged at one deadline in one phase."""

    of: str
    deadline_s: Annotated[Number, Field(gt=0)] = DEADLINE_S
    during: During = "fault"


class Outage(OfOneProbe):
    """Seconds of disruption."""

    at_most: Annotated[Number, Field(ge=0)]


class LongestOutage(Outage):
    """The longest disruption interval is at most ``at_most`` seconds."""

    indicator: Literal["longest_outage_s"]


class TotalOutage(Outage):
    """All disruption intervals together are at most ``at_most`` seconds long."""

    indicator: Literal["total_outage_s"]


class WeightedOutage(Outage):
    """The failed fraction of requests, summed over time, is at most ``at_most`` seconds.

    One in three failing for 9 s costs 3 s: the number for faults that hit a part of the requests
    (D_w in reference/timings_and_slos.md §3).
    """

    indicator: Literal["weighted_outage_s"]


class FailedShare(OfOneProbe):
    """At most ``at_most`` per cent of the samples of a phase are not OK within ``deadline_s``."""

    indicator: Literal["failed_share_pct"]
    at_most: Annotated[Number, Field(gt=0, le=100)]


class Outages(OfOneProbe):
    """At most ``at_most`` disruption intervals."""

    indicator: Literal["outages"]
    at_most: Annotated[int, Field(ge=0)]


class BadSamples(Strict):
    """At most ``at_most`` samples of all probes named are not OK within ``deadline_s``."""

    indicator: Literal["bad_samples"]
    of: Names
    deadline_s: Annotated[Number, Field(gt=0)] = DEADLINE_S
    during: During = "fault"
    at_most: Annotated[int, Field(ge=0)]


class TimeToWhole(Strict):
    """From ``since`` until every component is good, at most ``at_most`` seconds."""

    indicator: Literal["time_to_whole_s"]
    since: Literal["undo", "injection"]
    at_most: Annotated[Number, Field(gt=0)]


class NotWhole(Strict):
    """At most ``at_most`` seconds of a phase in which some component was not good: so long the
    next fault would not have been survivable."""

    indicator: Literal["not_whole_s"]
    during: During = "fault"
    at_most: Annotated[Number, Field(gt=0)]


class TimeToDrained(Strict):
    """From the injection until no pod that was to go is left on the node, at most ``at_most``."""

    indicator: Literal["time_to_drained_s"]
    at_most: Annotated[Number, Field(gt=0)]


class TimeToRescheduled(Strict):
    """From the injection until every pod of ``owner`` that it hit has a replacement that serves.

    ``owner``: namespace/name of what makes the pods again; of a Deployment's, the Deployment.
    """

    indicator: Literal["time_to_rescheduled_s"]
    owner: Annotated[str, Field(pattern=r"^[a-z0-9.-]+/[a-z0-9.-]+$")] = f"{NAMESPACE}/{NAME}"
    at_most: Annotated[Number, Field(gt=0)]


OfIntervals = LongestOutage | TotalOutage | WeightedOutage | Outages
OfSamples = OfIntervals | BadSamples | FailedShare
Objective = OfSamples | TimeToWhole | NotWhole | TimeToDrained | TimeToRescheduled

INDICATORS: Mapping[str, type[Objective]] = {
    "longest_outage_s": LongestOutage,
    "total_outage_s": TotalOutage,
    "weighted_outage_s": WeightedOutage,
    "failed_share_pct": FailedShare,
    "outages": Outages,
    "bad_samples": BadSamples,
    "time_to_whole_s": TimeToWhole,
    "not_whole_s": NotWhole,
    "time_to_drained_s": TimeToDrained,
    "time_to_rescheduled_s": TimeToRescheduled,
}


def probes_of(objective: Objective) -> tuple[str, ...]:
    """The probes that an objective asks; none where it asks facts of the cluster."""
    if isinstance(objective, OfOneProbe):
        return (objective.of,)
    return objective.of if isinstance(objective, BadSamples) else ()


def subjects_of(objective: Objective) -> tuple[str, ...]:
    """What an objective is about, by name: its probes, or the owner of pods."""
    if isinstance(objective, TimeToRescheduled):
        return (objective.owner,)
    return probes_of(objective)


def deadline_of(objective: Objective) -> float | None:
    """When an answer must be there, seconds; None where the objective asks no samples."""
    return objective.deadline_s if isinstance(objective, OfOneProbe | BadSamples) else None


def span_of(objective: Objective) -> str:
    """The phase that an objective is about, or the moment that it counts from."""
    if isinstance(objective, OfOneProbe | BadSamples | NotWhole):
        return objective.during
    return f"since {objective.since}" if isinstance(objective, TimeToWhole) else "since injection"


def unit_of(objective: Objective) -> str:
    """The unit of its number."""
    if isinstance(objective, FailedShare):
        return "%"
    if isinstance(objective, BadSamples):
        return "samples"
    return "outages" if isinstance(objective, Outages) else "s"
