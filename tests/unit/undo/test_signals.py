"""Signals while something must not stop half-way."""

from __future__ import annotations

import signal

import pytest

from quorate.harness.undo.signals import HELD, signals_held


@pytest.mark.parametrize("number", HELD)
def test_what_would_end_a_run_waits_for_the_end_of_the_block(number: signal.Signals) -> None:
    """SIGALRM among them: by it pytest-timeout would tear an undo."""
    seen: list[str] = []
    before = signal.signal(number, lambda *_: seen.append("handled"))
    try:
        with signals_held():
            signal.raise_signal(number)
            seen.append("block")
    finally:
        signal.signal(number, before)
    assert seen == ["block", "handled"]
