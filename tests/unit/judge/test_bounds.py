"""A verdict tells every bound that was given, and which of them was held against the number."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from quorate.harness.errors import SpecError
from quorate.harness.judge import judge
from quorate.harness.model.bounds import OF_CLUSTER, OF_COMMAND, Override, Source
from quorate.harness.model.experiment import Experiment
from quorate.harness.model.timeline import Event, Timeline
from quorate.harness.model.verdict import State, Verdict
from quorate.reports.text import render_text

MakeExperiment = Callable[..., Experiment]
MakeRun = Callable[..., Timeline]
OBJECTIVES = [
    {"indicator": "longest_outage_s", "of": "api", "at_most": 5},
    {"indicator": "longest_outage_s", "of": "api", "at_most": 1, "during": "return"},
    {"indicator": "bad_samples", "of": "api", "at_most": 0, "deadline_s": 2},
    {"indicator": "bad_samples", "of": ["api", "web"], "at_most": 0, "during": "baseline"},
    {"indicator": "time_to_whole_s", "since": "undo", "at_most": 20},
]
GUARD = {"indicator": "longest_outage_s", "of": "api", "at_most": 8}
PROBE = {"probe": "api_quorum_read", "path": "vip", "connection": "new", "rate_hz": 10}


@pytest.fixture
def experiment(make_experiment: MakeExperiment) -> Experiment:
    return make_experiment(
        objectives=OBJECTIVES, abort_when=GUARD, probes={"api": PROBE, "web": PROBE}
    )


def override(bound: str, at_most: float, source: Source = OF_CLUSTER) -> Override:
    return Override(bound=bound, at_most=at_most, source=source)


def test_every_bound_has_a_name_that_is_its_own(experiment: Experiment) -> None:
    assert experiment.bound_names == (
        "longest_outage_s:api:fault:1s",
        "longest_outage_s:api:return:1s",
        "bad_samples:api:fault:2s",
        "bad_samples:api:web:baseline:1s",
        "time_to_whole_s:undo",
        "abort_when:api:fault:1s",
    )
    for index, name in enumerate(experiment.bound_names):
        changed = experiment.with_bounds([override(name, 3)])
        others = [one for i, one in enumerate(changed.bounded) if i != index]
        assert changed.bounded[index].at_most == 3
        assert others == [one for i, one in enumerate(experiment.bounded) if i != index]


@pytest.mark.parametrize(
    ("bound", "index"),
    [
        ("time_to_whole_s", 4),
        ("abort_when", 5),
        ("longest_outage_s:fault", 0),
        ("longest_outage_s:return:api", 1),  # in any order
        ("bad_samples:web", 3),
        ("bad_samples:2s", 2),
    ],
)
def test_as_many_words_as_are_needed(experiment: Experiment, bound: str, index: int) -> None:
    assert experiment.with_bounds([override(bound, 7)]).bounded[index].at_most == 7


@pytest.mark.parametrize(
    ("bounds", "found", "allowed"),
    [
        ([("longest_outage", 8)], "none that is named so", "longest_outage_s:api:fault:1s"),
        ([("longest_outage_s:apo", 8)], "none that is named so", "abort_when:api:fault:1s"),
        ([("longest_outage_s", 8)], "2 that are named so", "longest_outage_s:api:return:1s"),
        ([("bad_samples:api", 8)], "2 that are named so", "bad_samples:api:web:baseline:1s"),
        ([("abort_when", 9), ("abort_when:api", 8)], "a second time", "it once"),
        ([("longest_outage_s:fault", 0.01)], "0.01 at 10 Hz", "at least 1 period"),
        ([("bad_samples:web", 2.5)], "2.5", "integer"),
        ([("time_to_whole_s", 0)], "0", "greater than 0"),
    ],
)
def test_a_bound_that_fits_nothing_is_refused(
    experiment: Experiment, bounds: Sequence[tuple[str, float]], found: str, allowed: str
) -> None:
    with pytest.raises(SpecError) as caught:
        experiment.with_bounds([override(*bound) for bound in bounds])
    assert found in caught.value.found
    assert allowed in str(caught.value.allowed)


def judged(experiment: Experiment, run: Timeline, *overrides: Override) -> Verdict:
    return judge(experiment.with_bounds(overrides), run)


def test_the_last_bound_given_is_judged_and_all_are_told(
    make_experiment: MakeExperiment, make_run: MakeRun
) -> None:
    experiment, run = make_experiment(), make_run("!" * 60 + "." * 90)
    own = judged(experiment, run)
    assert (own.verdict, own.objectives[0].bounds) == (State.MISSED, {"experiment": 5.0})
    assert "at most 5 s\n" in render_text(own)

    cluster = override("longest_outage_s", 8)
    verdict = judged(experiment, run, cluster)
    result = verdict.objectives[0]
    assert (verdict.verdict, result.bound, result.judged_by) == (State.MET, 8.0, "objectives.yaml")
    assert result.bounds == {"experiment": 5.0, "objectives.yaml": 8.0}
    assert "at most 8 s (by objectives.yaml; experiment: 5 s)" in render_text(verdict)

    verdict = judged(experiment, run, cluster, override("longest_outage_s", 6, OF_COMMAND))
    result = verdict.objectives[0]
    assert (verdict.verdict, result.bound, result.judged_by) == (State.MISSED, 6.0, "--set")
    text = render_text(verdict)
    assert "at most 6 s (by --set; experiment: 5 s, objectives.yaml: 8 s)" in text


def test_the_guard_and_its_bounds_are_told_whether_it_tripped_or_not(
    experiment: Experiment, make_run: MakeRun
) -> None:
    changed = override("abort_when", 4)
    quiet = judged(experiment, make_run(), changed)
    assert quiet.guard is not None
    assert (quiet.guard.bound, quiet.guard.judged_by) == (4.0, "objectives.yaml")
    assert quiet.guard.bounds == {"experiment": 8.0, "objectives.yaml": 4.0}
    assert quiet.guard.tripped_at is None
    told = "guard: an outage of api at most 4 s (by objectives.yaml; experiment: 8 s)"
    assert told in render_text(quiet)

    tripped = make_run("!" * 45 + "." * 105, events=[Event(34.1, "guard_tripped")])
    verdict = judged(experiment, tripped, changed)
    assert verdict.guard is not None
    assert verdict.guard.tripped_at == 34.1
    row = verdict.objectives[-1]
    assert (row.guard, row.state, row.bound) == (True, State.MISSED, 4.0)
    assert row.bounds == verdict.guard.bounds


def test_nothing_is_judged_by_a_bound_that_is_not_told(
    experiment: Experiment, make_run: MakeRun
) -> None:
    """Each bound is moved in turn; wherever that changes the verdict, the verdict says so."""
    run = make_run("!" * 30 + "." * 70 + "!" * 12 + "." * 38)
    before = judged(experiment, run)
    for name in experiment.bound_names:
        after = judged(experiment, run, override(name, 1000))
        told = [one.bound for one in after.objectives] + [after.guard and after.guard.bound]
        assert told.count(1000.0) == 1, name
        assert after.to_json() != before.to_json()


def test_two_objectives_of_one_name_are_refused(make_experiment: MakeExperiment) -> None:
    twice = [OBJECTIVES[0], {**OBJECTIVES[0], "at_most": 9}]
    with pytest.raises(SpecError, match="a second time"):
        make_experiment(objectives=twice)
