"""Why a run is no pass, for a test's report: each objective with what was found, its bound, what
was predicted and when it was; what else kept the run from an answer, and where the rest lies."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from quorate.harness.model.verdict import ObjectiveResult, PredictionResult, State, Verdict
from quorate.reports.text import compared, name_of, prediction_text


def failure_text(verdict: Verdict, *, directory: Path, began: datetime | None) -> str:
    """``began``: the base of the run's times by the wall clock, None where it is not known."""
    return printable("\n".join(_lines(verdict, directory=directory, began=began)))


def printable(text: str) -> str:
    """Without control characters: a cluster's words must not steer a terminal."""
    return "".join(
        one if one == "\n" or one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text
    )


def _lines(verdict: Verdict, *, directory: Path, began: datetime | None) -> Iterator[str]:
    yield f"{verdict.verdict}: {verdict.title}"
    for check in verdict.data_safety or ():
        if check.state is not State.MET:
            yield f"{check.state} data safety: {check.name}: {check.reason}"
    for result in verdict.objectives:
        if result.state is not State.MET:
            yield from _objective(result, verdict=verdict, began=began)
    for gate in verdict.gates:
        if not gate.ok:
            yield f"{State.INCONCLUSIVE} {gate.name}: {gate.reason}"
    yield f"run: {directory}"
    yield f"report: {directory / 'report.txt'}"


def _objective(
    result: ObjectiveResult, *, verdict: Verdict, began: datetime | None
) -> Iterator[str]:
    yield f"{result.state} {name_of(result)} {compared(result)}"
    if result.reason:
        yield f"  because: {result.reason}"
    yield f"  predicted: {_predicted(result, verdict.predicted)}"
    if result.at is not None:
        yield f"  when: {_when(result.at, began=began)}"


def _predicted(result: ObjectiveResult, predicted: tuple[PredictionResult, ...]) -> str:
    for one in predicted:
        if one.component is None and about(one) == about(result):
            return prediction_text(one)
    return "nothing, for this one"


def about(one: ObjectiveResult | PredictionResult) -> tuple[object, ...]:
    """What a number is about; an objective and its prediction agree in this."""
    word = one.indicator if isinstance(one, ObjectiveResult) else one.what
    return (word, one.of, one.during, one.deadline_s)


def _when(at: tuple[float, float], *, began: datetime | None) -> str:
    text = f"from {at[0]:.3f} to {at[1]:.3f} s of the run"
    if began is None:
        return text
    start, end = (began + timedelta(seconds=one) for one in at)
    return f"{text} ({start:%Y-%m-%d %H:%M:%S} to {end:%H:%M:%S} {began.tzname() or ''})"
