"""How long a fault may stay on, and a run may last, by the experiment's own numbers."""

from __future__ import annotations

from typing import Any

import pytest

from quorate.harness.errors import SpecError
from quorate.harness.faults.catalogue import FAULTS, check_arguments
from quorate.harness.model.experiment import Activity, Experiment
from quorate.harness.run.durations import CLOSE_S, STEP_S, watched_s, worst_case_s
from quorate.harness.run.limits import check_length

PROOF_S = FAULTS["node_power_off"].proof_timeout_s


def step(func: str, **arguments: Any) -> Activity:
    kind: Any = func if func in ("undo", "watch") else "fault"
    return Activity(
        name=func,
        kind=kind if func != "look" else "foreign",
        module="quorate.faults",
        func=func,
        arguments=arguments,
    )


def experiment(*method: Activity) -> Experiment:
    return Experiment(
        title="",
        description="",
        tags=(),
        method=method,
        given=(),
        baseline_s=15,
        probes={},
        objectives=(),
        abort_when=None,
    )


def test_a_fault_is_on_until_the_next_undo() -> None:
    played = experiment(
        step("node_power_off", target="x", at_most_s=40),
        step("look"),
        step("watch", for_s=7),
        step("undo"),
        step("node_power_off", target="x"),
    )
    assert watched_s(played, since=0) == PROOF_S + 40 + STEP_S + STEP_S + 7, (
        "a foreign step takes time"
    )
    assert watched_s(played, since=1) == 7
    assert watched_s(played, since=3) == PROOF_S + 60, "the default, to the method's end"


def test_a_second_fault_is_prepared_while_the_first_is_on() -> None:
    fault = step("node_power_off", target="x", at_most_s=40)
    assert watched_s(experiment(fault, fault), since=0) == 2 * (PROOF_S + 40) + STEP_S
    assert watched_s(experiment(fault, fault), since=1) == PROOF_S + 40


def test_the_worst_case_holds_every_step_and_the_end() -> None:
    short = experiment(step("watch", for_s=1))
    longer = experiment(step("watch", for_s=1), step("node_power_off", target="x", at_most_s=100))
    assert worst_case_s(short) > CLOSE_S
    assert worst_case_s(longer) - worst_case_s(short) >= 100 + PROOF_S


def test_a_plan_that_would_outlast_its_lease_is_refused() -> None:
    fault = step("node_power_off", target="x", at_most_s=40)
    check_length(experiment(fault, *[step("watch", for_s=900)] * 3))
    with pytest.raises(SpecError, match=r"a run can last \d{4} s.*3600 s; divide it"):
        check_length(experiment(fault, *[step("watch", for_s=900)] * 4))
    check_length(experiment(*[step("watch", for_s=900)] * 4))
    with pytest.raises(SpecError, match="28800 s; divide it"):
        check_length(experiment(step("watch", for_s=28000), step("watch", for_s=900)))


@pytest.mark.parametrize(
    ("func", "name", "most"),
    [("watch", "for_s", 28800), ("undo", "at_most_s", 1800), ("node_isolate", "at_most_s", 1800)],
)
def test_no_wait_is_longer_than_what_an_undo_can_take(func: str, name: str, most: int) -> None:
    check_arguments(experiment(step(func, target="x", **{name: most})))
    for value in (most + 1, float("inf"), float("nan")):
        with pytest.raises(SpecError, match=f"{most} at most"):
            check_arguments(experiment(step(func, target="x", **{name: value})))
