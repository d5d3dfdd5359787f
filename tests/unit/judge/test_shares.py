"""Which share of the requests failed: the band of chance decides, on the worse side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from quorate.harness.errors import SpecError
from quorate.harness.judge import judge
from quorate.harness.model.experiment import Experiment
from quorate.harness.model.timeline import Timeline
from quorate.harness.model.verdict import ObjectiveResult, State
from quorate.reports.text import render_text

MakeExperiment = Callable[..., Experiment]
MakeRun = Callable[..., Timeline]
THIRD = "!.." * 33 + "."
"""33 of the 100 samples of the fault phase."""


def experiment(make: MakeExperiment, at_most: float, **more: Any) -> Experiment:
    objective = {"indicator": "failed_share_pct", "of": "api", "at_most": at_most, **more}
    return make(objectives=[objective])


def share(
    make_experiment: MakeExperiment, run: Timeline, at_most: float, **more: Any
) -> ObjectiveResult:
    return judge(experiment(make_experiment, at_most, **more), run).objectives[0]


@pytest.mark.parametrize(
    ("at_most", "state"), [(45, State.MET), (34, State.INCONCLUSIVE), (20, State.MISSED)]
)
def test_a_third_of_a_hundred(
    make_experiment: MakeExperiment, make_run: MakeRun, at_most: float, state: State
) -> None:
    found = share(make_experiment, make_run(THIRD.ljust(150, ".")), at_most)
    assert (found.value, found.unit, found.state) == (33.0, "%", state)
    assert found.low == pytest.approx(23.92, abs=0.01)  # Clopper and Pearson, 33 of 100
    assert found.high == pytest.approx(43.12, abs=0.01)
    assert ("too few to tell" in found.reason) is (state is State.INCONCLUSIVE)


def test_no_failure_is_met_only_as_finely_as_the_samples_allow(
    make_experiment: MakeExperiment, make_run: MakeRun
) -> None:
    found = share(make_experiment, make_run(), 3.7)
    assert (found.value, found.low, found.state) == (0.0, 0.0, State.MET)
    assert found.high == pytest.approx(3.62, abs=0.01)
    assert share(make_experiment, make_run(), 3.5).state is State.INCONCLUSIVE


def test_unknown_samples_are_good_and_bad(
    make_experiment: MakeExperiment, make_run: MakeRun
) -> None:
    run = make_run(("!" * 20 + "?" * 20).ljust(150, "."))
    found = share(make_experiment, run, 45)
    assert found.value == 25.0, "of those known"
    assert found.low == pytest.approx(12.67, abs=0.01)  # 20 of 100
    assert found.high == pytest.approx(50.28, abs=0.01)  # 40 of 100
    assert found.state is State.INCONCLUSIVE
    assert "20 of which we cannot tell" in found.reason


def test_a_late_answer_has_failed_at_its_deadline(
    make_experiment: MakeExperiment, make_run: MakeRun
) -> None:
    run = make_run(("~" * 30).ljust(150, "."))
    early = share(make_experiment, run, 45, deadline_s=0.5)
    late = share(make_experiment, run, 45, deadline_s=4)
    assert (early.value, late.value) == (30.0, 0.0)


@pytest.mark.parametrize("spelled", ["?" * 150, "." * 3])
def test_too_little_is_never_met(
    make_experiment: MakeExperiment, make_run: MakeRun, spelled: str
) -> None:
    assert share(make_experiment, make_run(spelled), 100).state is not State.MET


def test_a_phase_that_was_not_there(make_experiment: MakeExperiment, make_run: MakeRun) -> None:
    run = make_run(without=("undo_started", "undo_done", "return_ended"))
    assert share(make_experiment, run, 50, during="return").value is None


@pytest.mark.parametrize("at_most", [0, -1, 101])
def test_bounds_that_no_share_can_have(make_experiment: MakeExperiment, at_most: float) -> None:
    with pytest.raises(SpecError, match="at_most"):
        experiment(make_experiment, at_most)


def test_the_report_tells_the_band(make_experiment: MakeExperiment, make_run: MakeRun) -> None:
    verdict = judge(experiment(make_experiment, 45), make_run(THIRD.ljust(150, ".")))
    text = render_text(verdict)
    assert "failed_share_pct of api" in text
    assert "= 33.00 % (23.92 to 43.12), at most 45 %" in text
