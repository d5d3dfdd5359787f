"""The answer of `quorate gate`, for people and for pipelines."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping

from quorate.harness.model.clearance import Clearance, Standing, age_text
from quorate.harness.model.verdict import State
from quorate.reports.hostile import unbroken

FORMAT = 1
PASSED_OVER_MAX = 3
"""Runs told of each experiment that do not count; all of them stand in the JSON."""

_ANSWERS = {State.MET: "yes", State.MISSED: "no", State.INCONCLUSIVE: "no"}
_WHY = {
    State.MET: "each experiment has a run that counts, and each came out as expected",
    State.MISSED: "an objective, or data safety, was missed",
    State.INCONCLUSIVE: "not every experiment has a run that counts",
}


def render_clearance(clearance: Clearance) -> str:
    """Answer and reasons; ends with a newline."""
    return "\n".join(map(unbroken, _lines(clearance))) + "\n"


def clearance_to_dict(clearance: Clearance) -> Mapping[str, object]:
    """The same for machines."""
    question = clearance.question
    return {
        "format": FORMAT,
        "answer": _ANSWERS[clearance.state],
        "state": clearance.state.value,
        "reasons": _reasons(clearance),
        "suite": question.suite,
        "cluster": question.cluster,
        "asked_at": question.now.isoformat(timespec="seconds"),
        "max_age_s": question.max_age_s,
        "fingerprint": question.fingerprint.id,
        "experiments": [_standing(one) for one in clearance.standings],
    }


def clearance_json(clearance: Clearance, *, exit_code: int) -> str:
    """One document; ends with a newline."""
    document = {**clearance_to_dict(clearance), "exit_code": exit_code}
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _standing(one: Standing) -> dict[str, object]:
    return {
        "experiment": one.name,
        "expected": one.expect.value,
        "state": one.state.value,
        "reason": one.reason,
        "run": one.run,
        "verdict": one.verdict.value if one.verdict else None,
        "age_s": None if one.age_s is None else round(one.age_s, 1),
        "passed_over": [{"run": over.run, "reason": over.reason} for over in one.passed_over],
    }


def _reasons(clearance: Clearance) -> list[str]:
    """What stands in the way of a yes, the grave ones first; each once, with how many it is of."""
    found = list(clearance.problems)
    for state in (State.MISSED, State.INCONCLUSIVE):
        said = Counter(one.reason for one in clearance.standings if one.state is state)
        for reason, times in said.items():
            names = [one.name for one in clearance.standings if one.reason == reason]
            whom = names[0] if times == 1 else f"{times} experiments"
            found.append(f"{whom}: {reason}")
    return found


def _lines(clearance: Clearance) -> Iterator[str]:
    question = clearance.question
    yield f"{_ANSWERS[clearance.state]}: {_WHY[clearance.state]}"
    allowed = age_text(question.max_age_s)
    yield f"suite {question.suite} on cluster {question.cluster}, runs of at most {allowed}"
    if reasons := _reasons(clearance):
        yield ""
        yield "Why not"
        yield from (f"  {reason}" for reason in reasons)
    yield ""
    yield "Experiments"
    for one in clearance.standings:
        yield from _told(one)


def _told(one: Standing) -> Iterator[str]:
    mark = {State.MET: "counts", State.MISSED: "NO"}.get(one.state, "OPEN")
    yield f"  {mark:6}  {one.name}: {one.reason}"
    if one.run is not None and one.age_s is not None:
        yield f"          run {one.run}, {age_text(one.age_s)} old"
    for over in one.passed_over[:PASSED_OVER_MAX]:
        yield f"          does not count: {over.run}: {over.reason}"
    if (more := len(one.passed_over) - PASSED_OVER_MAX) > 0:
        yield f"          nor do {more} older ones"
