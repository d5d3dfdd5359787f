"""Every indicator of a run as (name, value): for JUnit of the report and of the pytest plugin."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from quorate.harness.model.bounds import GUARD
from quorate.harness.model.verdict import ObjectiveResult, PredictionResult, Verdict


def indicator_name(result: ObjectiveResult) -> str:
    """``longest_outage_s:api:fault:1s``: as model/bounds.py has it for the objective."""
    first = GUARD if result.guard else result.indicator
    words = [first, *result.of, result.during.removeprefix("since ")]
    return ":".join([*words, *([] if result.deadline_s is None else [f"{result.deadline_s:g}s"])])


def indicator_pairs(verdict: Verdict) -> Iterator[tuple[str, str]]:
    """The number by the indicator's name; its range, bound, prediction, unit and state with a
    suffix. What is not known is left out, but for the number itself."""
    for result in verdict.objectives:
        name = indicator_name(result)
        yield name, "not measured" if result.value is None else f"{result.value:g}"
        foretold = prediction_of(result, verdict.predicted)
        for word, number in (
            ("low", result.low),
            ("high", result.high),
            ("at_most", result.bound),
            ("predicted_low", foretold.low if foretold else None),
            ("predicted_high", foretold.high if foretold else None),
        ):
            if number is not None:
                yield f"{name}.{word}", f"{number:g}"
        yield f"{name}.unit", result.unit
        yield f"{name}.state", result.state.value


def prediction_of(
    result: ObjectiveResult, predicted: Sequence[PredictionResult]
) -> PredictionResult | None:
    """What was predicted of an objective; None where it is not among the predictions."""
    asked = (result.indicator, result.of, result.during, result.deadline_s)
    for one in predicted:
        if one.component is None and (one.what, one.of, one.during, one.deadline_s) == asked:
            return one
    return None
