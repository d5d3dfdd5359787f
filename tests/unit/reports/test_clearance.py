"""The gate's answer as text: hostile words from a cluster steer no terminal."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from quorate.harness.model.clearance import Clearance, PassedOver, Question, Standing
from quorate.harness.model.fingerprint import Fingerprint
from quorate.harness.model.verdict import State
from quorate.reports.clearance import clearance_to_dict, render_clearance
from quorate.reports.hostile import unbroken

QUESTION = Question(
    suite="core",
    cluster="lab\x1b[2J",
    asked=(),
    fingerprint=Fingerprint.of({}, {}),
    max_age_s=3600,
    now=datetime(2026, 11, 27, tzinfo=UTC),
)


def standing(name: str, reason: str, *, over: int = 0) -> Standing:
    passed = tuple(PassedOver(f"r{number}", "old") for number in range(over))
    return Standing(name, State.MET, State.INCONCLUSIVE, reason, passed_over=passed)


def test_what_came_from_a_cluster_is_written_out() -> None:
    said = Clearance(QUESTION, (standing("a", "x\x1b]0;owned\x07\ny"),))
    text = render_clearance(said)
    assert "\x1b" not in text
    assert "\x07" not in text
    assert r"lab\x1b[2J" in text
    assert r"owned\x07 y" in text


def test_the_same_reason_of_several_is_told_once() -> None:
    said = Clearance(QUESTION, (standing("a", "old"), standing("b", "old"), standing("c", "new")))
    assert clearance_to_dict(said)["reasons"] == ["2 experiments: old", "c: new"]


@pytest.mark.parametrize(("over", "more"), [(3, False), (5, True)])
def test_runs_that_do_not_count_are_told_up_to_a_number(over: int, more: bool) -> None:
    text = render_clearance(Clearance(QUESTION, (standing("a", "old", over=over),)))
    assert text.count("does not count: ") == 3
    assert ("nor do 2 older ones" in text) is more


def test_a_line_of_the_answer_stays_one() -> None:
    assert unbroken("  1 → 3 für ä\n\x1b[2J") == r"  1 → 3 für ä \x1b[2J"
