"""What every objective's answer is made of: a number, the range of the true one, a state."""

from __future__ import annotations

from typing import NamedTuple

from quorate.harness.model.objectives import (
    Objective,
    deadline_of,
    span_of,
    subjects_of,
    unit_of,
)
from quorate.harness.model.verdict import ObjectiveResult, State


class Number(NamedTuple):
    """A measured number, the range of the true one, and the interval that it is about."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    at: tuple[float, float] | None = None
    censored: bool = False


NOT_MEASURED = Number()


def result(objective: Objective, *, number: Number, state: State, reason: str) -> ObjectiveResult:
    """The answer to an objective; whose bound it was judged by is added by the judge."""
    return ObjectiveResult(
        indicator=objective.indicator,
        of=subjects_of(objective),
        during=span_of(objective),
        deadline_s=deadline_of(objective),
        bound=float(objective.at_most),
        value=_rounded(number.value),
        low=_rounded(number.low),
        high=_rounded(number.high),
        unit=unit_of(objective),
        state=state,
        censored=number.censored,
        at=None if number.at is None else (round(number.at[0], 6), round(number.at[1], 6)),
        reason=reason,
    )


def unanswered(objective: Objective, reason: str, /) -> ObjectiveResult:
    """INCONCLUSIVE, without a number."""
    return result(objective, number=NOT_MEASURED, state=State.INCONCLUSIVE, reason=reason)


def state_of(*, over: bool, surely_within: bool) -> State:
    """MISSED where it is over; MET only where that is sure; else we cannot tell."""
    if over:
        return State.MISSED
    return State.MET if surely_within else State.INCONCLUSIVE


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 6)
