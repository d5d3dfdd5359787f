from __future__ import annotations

from pathlib import Path
from typing import Any

from quorate.harness.undo.in_flight import InFlight


def test_free_when_nobody_holds_it_and_when_it_was_never_held(tmp_path: Path) -> None:
    in_flight = InFlight(tmp_path)
    assert in_flight.is_free()
    with in_flight.held(), InFlight(tmp_path).held():
        assert not InFlight(tmp_path).is_free()
    assert in_flight.is_free()


def test_waiting_ends_at_the_deadline(tmp_path: Path, clock: Any) -> None:
    in_flight = InFlight(tmp_path)
    with in_flight.held():
        assert not in_flight.wait(5, clock=clock, sleep=clock.sleep)
    assert 5 <= clock.now_s < 6
    assert in_flight.wait(5, clock=clock, sleep=clock.sleep)
