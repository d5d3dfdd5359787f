"""Bounds that stand in place of an experiment's own, because a cluster has other timers.

A bound is named by words joined by colons: its indicator (``abort_when`` for the guard), then, as
far as they are needed to tell it from others, its probes (or owner), its phase and its deadline.
``longest_outage_s`` will do where an experiment has one such objective; its full name is
``longest_outage_s:api:fault:1s``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from quorate.harness.errors import SpecError
from quorate.harness.model.objectives import Objective, deadline_of, span_of, subjects_of
from quorate.harness.model.strict import Number, Strict, checked

GUARD = "abort_when"

OWN = "experiment"
"""The source of a bound that the experiment itself gives."""

Source = Literal["objectives.yaml", "--set"]
OF_CLUSTER: Source = "objectives.yaml"
OF_COMMAND: Source = "--set"


class Override(Strict):
    """At most so much, in place of the experiment's own bound that is named so."""

    bound: str
    at_most: Annotated[Number, Field(ge=0)]
    source: Source


def name_of(objective: Objective, *, guard: bool = False) -> str:
    """The full name of an objective's bound: ``time_to_whole_s:undo``."""
    first = GUARD if guard else objective.indicator
    deadline_s = deadline_of(objective)
    words = [first, *subjects_of(objective), span_of(objective).removeprefix("since ")]
    return ":".join([*words, *([] if deadline_s is None else [f"{deadline_s:g}s"])])


def matching(bound: str, names: Sequence[str]) -> list[int]:
    """Which of these full names ``bound`` may mean; the one that it spells out, if there is one."""
    first, *more = bound.split(":")
    split = [name.split(":") for name in names]
    exact = [
        i for i, words in enumerate(split) if words[0] == first and set(words[1:]) == set(more)
    ]
    return exact or [
        i for i, words in enumerate(split) if words[0] == first and set(words[1:]) >= set(more)
    ]


def the_one(bound: str, names: Sequence[str]) -> int:
    """Which one of these full names ``bound`` means; SpecError where it is none or several."""
    found = matching(bound, names)
    if len(found) == 1:
        return found[0]
    said = f"{len(found)} that are named so" if found else "none that is named so"
    allowed = [names[i] for i in found] or names
    raise SpecError(None, field=bound, found=said, allowed=allowed)


def with_bound(objective: Objective, at_most: float) -> Objective:
    """The objective with another bound; SpecError where it cannot have that one."""
    number = int(at_most) if at_most.is_integer() else at_most  # what is counted is counted whole
    return checked({**objective.model_dump(), "at_most": number}, model=type(objective))
