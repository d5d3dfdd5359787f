"""What the control takes for the end of an experiment that never had a run."""

from __future__ import annotations

from typing import Any

import pytest

from quorate.harness import control


@pytest.mark.parametrize(
    ("status", "error"), [("interrupted", "Interrupted"), ("completed", "Exception")]
)
def test_a_signal_before_the_run_is_an_interruption(status: str, error: str) -> None:
    """A game-day must end there, and not go on with the next experiment."""
    control._refusal.clear()
    journal: dict[str, Any] = {"status": status, "deviated": False}
    control.after_experiment_control({}, journal)
    assert journal["quorate"]["error"] == error
    assert journal["quorate"]["exit_code"] == 3
    assert journal["quorate"]["verdict"] is None
    assert journal["status"] != "completed", "and chaos does not exit 0"
