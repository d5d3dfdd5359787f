"""What a run came to: exit codes, and what stands in a journal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from quorate.harness.model.verdict import State
from quorate.harness.run.outcome import Outcome, exit_code_of


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
