"""Suites: what may stand in one, and what a game-day of it comes to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from quorate.harness.errors import SpecError
from quorate.harness.model.verdict import State
from quorate.harness.run.outcome import Outcome, exit_code_of
from quorate.harness.run.suite import (
    Suite,
    exit_code,
    play_suite,
    read_suite,
    summary_text,
    write_summary,
)

MET = Outcome(0, State.MET)
MISSED = Outcome(1, State.MISSED)
OPEN = Outcome(3, State.INCONCLUSIVE)
REFUSED = Outcome(3, None, reason="another run holds the lock", error="RefusedError")
DIRTY = Outcome(4, State.MET, reason="an undo failed")


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").touch()
    file = tmp_path / "core.yaml"
    file.write_text(
        "format: 1\ntitle: Core\nexperiments:\n"
        "  - {file: a.yaml, expect: MET}\n  - {file: b.yaml, expect: MISSED}\n"
    )
    return read_suite(file)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("format: 1\ntitle: x\nexperiments: []\n", ":3: experiments"),
        ("format: 2\ntitle: x\nexperiments: [{file: a, expect: MET}]\n", ":1: format"),
        (
            "format: 1\ntitle: x\nexperiments:\n  - {file: no.yaml, expect: MET}\n",
            r":4: experiments\[0\]\.file: found 'no.yaml', no such file",
        ),
        (
            "format: 1\ntitle: x\nexperiments:\n  - {file: a, expect: PASS}\n",
            ":4: .*expect: found 'PASS', allowed: MET, MISSED, INCONCLUSIVE",
        ),
        ("format: 1\ntitle: x\nexperiments:\n  - {fil: a}\n", ":4: .*fil"),
    ],
)
def test_mistakes_have_a_line(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(text)
    with pytest.raises(SpecError, match=says):
        read_suite(file)


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        ((MET, MISSED), 0),
        ((MISSED, MISSED), 1),
        ((MET, MET), 1),
        ((MET, OPEN), 3),
        ((REFUSED, MISSED), 3),
        ((OPEN, MET), 1),
        ((MET, DIRTY), 4),
    ],
)
def test_only_what_was_expected_ends_in_0(
    suite: Suite, outcomes: tuple[Outcome, Outcome], code: int
) -> None:
    results = iter(outcomes)
    played = play_suite(suite, play=lambda file: next(results), say=lambda text: None)
    assert exit_code(played) == code


def test_nothing_is_begun_after_an_undo_that_failed(suite: Suite) -> None:
    asked = []

    def play(file: Path) -> Outcome:
        asked.append(file.name)
        return DIRTY

    played = play_suite(suite, play=play, say=lambda text: None)
    assert asked == ["a.yaml"]
    assert exit_code(played) == 4
    assert "not played" in summary_text(suite, played)


def test_the_summary_says_verdict_and_expectation(suite: Suite, tmp_path: Path) -> None:
    results = iter((MET, REFUSED))
    played = play_suite(suite, play=lambda file: next(results), say=lambda text: None)
    folder = write_summary(suite, played, runs=tmp_path / "runs")
    summary = json.loads((folder / "summary.json").read_text())
    assert [one["as_expected"] for one in summary["experiments"]] == [True, False]
    assert summary["exit_code"] == 3
    text = (folder / "summary.txt").read_text()
    assert "1 of 2 as expected" in text
    assert "another run holds the lock" in text


@pytest.mark.parametrize(
    ("verdict", "failure", "dirty", "code"),
    [
        (State.MET, None, False, 0),
        (State.MISSED, None, False, 1),
        (State.INCONCLUSIVE, None, False, 3),
        (State.MET, None, True, 4),
        (State.MISSED, RuntimeError(), False, 1),
        (State.MET, RuntimeError(), False, 3),
    ],
)
def test_exit_codes(verdict: State, failure: BaseException | None, dirty: bool, code: int) -> None:
    assert exit_code_of(verdict, failure=failure, dirty=dirty) == code


def test_an_outcome_survives_the_journal() -> None:
    outcome = Outcome(1, State.MISSED, Path("/runs/1"), "why", "Error")
    assert Outcome.from_dict(json.loads(json.dumps(outcome.to_dict()))) == outcome
