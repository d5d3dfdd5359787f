"""Faults that hit a part of the requests: what they cost, within which band, and how to tell."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

import pytest

from quorate.harness.judge import judge
from quorate.harness.judge.binomial import beta, share_band
from quorate.harness.judge.partial import scatter_of, weighted_samples
from quorate.harness.model.experiment import WEIGHTED_PERIODS, Experiment
from quorate.harness.model.timeline import Timeline
from quorate.harness.model.verdict import State, Verdict
from quorate.reports.text import render_text

MakeExperiment = Callable[..., Experiment]
MakeRun = Callable[..., Timeline]
THIRD = "!.." * 30


def codes(spelled: str) -> bytes:
    return bytes(".!?".index(letter) for letter in spelled)


def binomial_tail(part: int, total: int, share: float) -> float:
    """P(at least ``part`` of ``total``), summed term by term."""
    terms = (
        math.comb(total, n) * share**n * (1 - share) ** (total - n) for n in range(part, total + 1)
    )
    return math.fsum(terms)


@pytest.mark.parametrize(("a", "b"), [(1, 1), (2, 30), (17, 5), (120, 121), (4000, 1)])
@pytest.mark.parametrize("x", [0.0, 0.001, 0.3, 0.5, 0.97, 0.9999, 1.0])
def test_beta_is_a_binomial_tail(a: int, b: int, x: float) -> None:
    assert beta(x, a=a, b=b) == pytest.approx(binomial_tail(a, a + b - 1, x), abs=1e-9)


@pytest.mark.parametrize(
    ("part", "total"), [(0, 10), (1, 10), (5, 20), (10, 10), (37, 400), (299, 300)]
)
def test_beyond_the_band_what_was_seen_has_a_chance_of_a_fortieth(part: int, total: int) -> None:
    low, high = share_band(part, total)
    if part:
        assert binomial_tail(part, total, low) == pytest.approx(0.025, abs=1e-9)
    if part < total:
        assert 1 - binomial_tail(part + 1, total, high) == pytest.approx(0.025, abs=1e-9)
    assert (low == 0.0) is (part == 0)
    assert (high == 1.0) is (part == total)


def test_of_nothing_any_share_is_possible() -> None:
    assert share_band(0, 0) == (0.0, 1.0)


def test_share_band_of_very_many_is_narrow() -> None:
    low, high = share_band(333_333, 1_000_000)
    assert low < 1 / 3 < high
    assert high - low < 0.002


@pytest.mark.parametrize("share", [0.05, 1 / 3, 2 / 3, 1.0])
@pytest.mark.parametrize("ticks", [20, 100, 400])
def test_the_band_holds_what_the_fault_cost(share: float, ticks: int) -> None:
    """Requests fail with one probability for a while: Σ p lies inside in 95 % of the cases."""
    chance = random.Random(f"{share} {ticks}")
    runs, inside = 100, 0
    for _ in range(runs):
        hit = bytes(chance.random() < share for _ in range(ticks))
        band = weighted_samples(bytes(100) + hit + bytes(200))
        inside += band.low - 1 <= share * ticks <= band.high + 1
    assert inside >= 0.95 * runs - 3 * math.sqrt(runs * 0.95 * 0.05)


def test_the_band_of_an_outage_is_narrow() -> None:
    """Four samples more or less, however long the phase around it."""
    band = weighted_samples(bytes(5000) + b"\x01" * 400 + bytes(5000))
    assert band.high == 400
    assert band.low > 396


@pytest.mark.parametrize(
    ("spelled", "scattered"),
    [
        ("", False),
        ("...", False),
        (THIRD, True),
        ("!!." * 20, True),
        ("!." * 20, True),
        ("!" + "." * 20 + "!" + "." * 30 + "!", True),  # three here and there
        ("!....!", False),  # two are no pattern
        ("!" * 60, False),
        ("!" * 60 + ".!..!", False),  # an outage that flaps at its end
        ("!" * 30 + "." * 50 + "!" * 30 + "." * 50 + "!" * 30, False),  # three outages
        ("!?." * 20, True),
        ("!" * 60 + THIRD, True),  # all lost at first, then a third
    ],
)
def test_what_is_scattered(spelled: str, scattered: bool) -> None:
    assert (scatter_of(codes("...." + spelled + "....")) is not None) is scattered


@pytest.mark.parametrize("share", [0.1, 1 / 3, 0.5, 2 / 3, 0.8])
def test_failures_by_chance_are_scattered(share: float) -> None:
    chance = random.Random(str(share))
    for _ in range(100):
        hit = bytes(chance.random() < share for _ in range(200))
        assert scatter_of(bytes(50) + hit + bytes(50)) is not None


def judged(
    make_experiment: MakeExperiment, run: Timeline, indicator: str, at_most: float, **more: Any
) -> Verdict:
    objective = {"indicator": indicator, "of": "api", "at_most": at_most, **more}
    return judge(make_experiment(objectives=[objective]), run)


@pytest.mark.parametrize(
    ("at_most", "state"), [(5, State.MET), (3.2, State.INCONCLUSIVE), (1.5, State.MISSED)]
)
def test_one_in_three_for_nine_seconds_weighs_three(
    make_experiment: MakeExperiment, make_run: MakeRun, at_most: float, state: State
) -> None:
    run = make_run(THIRD.ljust(150, "."))
    result = judged(make_experiment, run, "weighted_outage_s", at_most).objectives[0]
    assert (result.value, result.state) == (3.0, state)
    assert result.low is not None
    assert result.high is not None
    assert 1.5 < result.low < 3.0 < result.high < 5.0
    assert ("too few to tell" in result.reason) is (state is State.INCONCLUSIVE)


def test_the_length_of_a_gap_is_no_answer_where_failures_are_scattered(
    make_experiment: MakeExperiment, make_run: MakeRun
) -> None:
    fourth = make_run(("!..." * 24).ljust(150, "."))  # always three good ones in a row
    short = judged(make_experiment, fourth, "longest_outage_s", 1)
    assert short.objectives[0].value == 0.1
    assert short.verdict is State.INCONCLUSIVE
    assert "24 of 93 samples in 24 places" in short.objectives[0].reason
    assert judged(make_experiment, fourth, "longest_outage_s", 2.5).verdict is State.MET
    third = judged(make_experiment, make_run(THIRD.ljust(150, ".")), "longest_outage_s", 5)
    assert third.objectives[0].value == 8.8  # never three: from the first to the last
    assert third.verdict is State.MISSED


def test_the_report_says_that_failures_are_scattered(
    make_experiment: MakeExperiment, make_run: MakeRun
) -> None:
    verdict = judged(make_experiment, make_run(THIRD.ljust(150, ".")), "longest_outage_s", 30)
    assert verdict.verdict is State.MET
    assert verdict.story.scattered
    assert all(rung.scattered for rung in verdict.clients)
    text = render_text(verdict)
    assert "an interval's length says little" in text
    assert "requests of api failed here and there" in text
    assert "weighted 3.00 s, scattered" in text


def test_unknown_samples_widen_the_band(make_experiment: MakeExperiment, make_run: MakeRun) -> None:
    sure = make_run(("!" * 20).ljust(150, "."))
    unsure = make_run(("!" * 20 + "?" * 20).ljust(150, "."))
    one, other = (
        judged(make_experiment, run, "weighted_outage_s", 3).objectives[0] for run in (sure, unsure)
    )
    assert one.state is State.MET
    assert (other.value, other.state) == (2.0, State.INCONCLUSIVE)
    assert other.high == pytest.approx(4.1)


def test_no_failure_at_all_is_met_by_the_smallest_bound_allowed(
    make_experiment: MakeExperiment, make_run: MakeRun
) -> None:
    smallest = WEIGHTED_PERIODS * 0.1
    result = judged(make_experiment, make_run(), "weighted_outage_s", smallest).objectives[0]
    assert (result.value, result.state) == (0.0, State.MET)
