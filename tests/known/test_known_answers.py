"""Outages of known length, in namespaces of their own: the printed interval holds the true length.

The truth is what the process that breaks the server writes down when it turns the switch; it knows
nothing of the sampler. The real sampler's program asks 20 times a second over new TLS connections,
and the real judge prints value, low and high.

What to expect of the error, from the judge's own rules (harness/judge/intervals.py): one period
(0.05 s), because an edge lies between two samples; and what a request takes at an edge, because one
that was under way when the server broke has failed too, and one that was sent before the end may be
answered after it. low and high hold both. The deadline adds nothing here, and may elsewhere:

- A black hole swallows the first packet of every request, and the kernel sends it again after 1 s:
  at a deadline of up to 1 s such a request is bad. At a longer one it comes out good when the hole
  has ended meanwhile, so the outage looks shorter, by less than the deadline.
- A server that keeps requests and answers them when it is back looks down for its outage less the
  deadline: every request of the deadline's length before the end is answered in time. That is true
  of clients with that much patience, and ``test_slow…`` holds it against the truth.
"""

from __future__ import annotations

import math
import statistics
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quorate.harness.model.verdict import ObjectiveResult
from tests.known import certificates
from tests.known.answers import (
    GAP_S,
    PERIOD_S,
    RATE_HZ,
    Answer,
    answered,
    outage_objective,
    results,
    sampled,
    shared_out,
    spread,
)
from tests.known.server import THIRD
from tests.known.switch import MODES, Outage, Switch, Truth

pytestmark = pytest.mark.host

Results = tuple[ObjectiveResult, ...]

AT_ONCE = 8
BUSY_S = 0.1
"""What a request may take at an edge here, on a machine that is busy with other tests."""


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificates.written(tmp_path_factory.mktemp("pki"))


@pytest.mark.timeout(600)
def test_of_200_outages_198_lie_inside_what_is_printed(pki: Path, tmp_path: Path) -> None:
    outages = spread(MODES, count=200, seed="known answers")
    shares = shared_out(outages, among=AT_ONCE)
    answers = answered(shares, certificates=pki, runs=tmp_path)
    assert Counter(one.truth.mode for one in answers) == dict.fromkeys(MODES, 40)
    outside = [one for one in answers if not one.inside]
    assert len(outside) <= 2, outside
    # Not by printing wide intervals: the measured length itself is as near as it can be.
    far = [one for one in answers if not one.near]
    assert len(far) <= 2, far
    assert statistics.median(one.high - one.low for one in answers) < 4 * PERIOD_S
    longest = max(answers, key=lambda one: one.truth.length_s)
    assert longest.truth.length_s > 25


@pytest.fixture
def results_of(pki: Path, tmp_path: Path) -> Callable[..., tuple[Truth, Results]]:
    """One outage, and the judge's answers about it to several questions."""

    def measure(outage: Outage, *asked: dict[str, Any]) -> tuple[Truth, Results]:
        with Switch(pki) as switch, sampled(switch, runs=tmp_path) as run:
            time.sleep(GAP_S)
            truth = switch.outage(outage)
            time.sleep(GAP_S)
        return truth, results(run.timeline(), truth, base_s=run.base_ns / 1e9, asked=asked)

    return measure


@pytest.fixture
def at_deadlines(
    results_of: Callable[..., tuple[Truth, Results]],
) -> Callable[..., dict[float, Answer]]:
    """One outage, judged at several deadlines from the same samples."""

    def measure(outage: Outage, *deadlines_s: float) -> dict[float, Answer]:
        asked = [outage_objective("longest_outage_s", deadline_s=one) for one in deadlines_s]
        truth, found = results_of(outage, *asked)
        return {one: Answer.of(truth, each) for one, each in zip(deadlines_s, found, strict=True)}

    return measure


def test_slow_answers_are_an_outage_for_those_who_do_not_wait(
    at_deadlines: Callable[..., dict[float, Answer]],
) -> None:
    """2.5 s without an answer, then all at once: at a deadline d the outage is 2.5 s − d long."""
    answers = at_deadlines(Outage("slow", 2.5), 0.25, 0.5, 1.0, 2.0, 5.0)
    for deadline_s, answer in answers.items():
        true_s = max(0.0, answer.truth.length_s - deadline_s)
        assert answer.low <= true_s <= answer.high, (deadline_s, answer)
        assert answer.value == pytest.approx(true_s, abs=PERIOD_S + BUSY_S)
    assert answers[5.0].value == 0


def test_a_black_hole_is_as_long_as_it_was_up_to_a_deadline_of_a_second(
    at_deadlines: Callable[..., dict[float, Answer]],
) -> None:
    answers = at_deadlines(Outage("black hole", 2.5), 0.25, 0.5, 1.0, 2.0)
    patient = answers.pop(2.0)
    assert all(answer.inside for answer in answers.values()), answers
    true_s = patient.truth.length_s
    assert true_s - 2.0 - PERIOD_S <= patient.value <= true_s - 1.0 + PERIOD_S + BUSY_S


def test_one_in_three_failing_weighs_a_third_of_its_time(
    results_of: Callable[..., tuple[Truth, Results]],
) -> None:
    """The server resets each connection with probability 1/3, by a generator with a fixed seed."""
    asked = [outage_objective(indicator) for indicator in ("weighted_outage_s", "longest_outage_s")]
    truth, (weighted, longest) = results_of(Outage("third", 8.0), *asked)
    requests = truth.length_s * RATE_HZ
    band_s = 3 * math.sqrt(requests * THIRD * (1 - THIRD)) * PERIOD_S
    assert weighted.value == pytest.approx(truth.length_s * THIRD, abs=band_s)
    assert weighted.low is not None
    assert weighted.high is not None
    assert weighted.low <= truth.length_s * THIRD <= weighted.high
    assert weighted.high - weighted.low < 2 * band_s
    # How long its longest gap is, is chance; the report says so.
    assert "scattered failures" in longest.reason
    assert "says little" in longest.reason
