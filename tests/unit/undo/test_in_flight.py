from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from quorate.harness.undo.in_flight import InFlight


def test_free_when_nobody_holds_it_and_when_it_was_never_held(tmp_path: Path) -> None:
    in_flight = InFlight(tmp_path)
    assert in_flight.is_free()
    with in_flight.held(), InFlight(tmp_path).held():
        assert not InFlight(tmp_path).is_free()
    assert in_flight.is_free()


def test_an_undo_needs_no_disk_that_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a file system remounted read-only: what is there can be opened, but not for writing."""
    with InFlight(tmp_path).held():
        pass
    really = os.open

    def read_only(path: Any, flags: int, *more: Any) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR):
            raise OSError(30, "Read-only file system")
        return really(path, flags, *more)

    monkeypatch.setattr(os, "open", read_only)
    with InFlight(tmp_path).held():
        assert not InFlight(tmp_path).is_free()


def test_waiting_ends_at_the_deadline(tmp_path: Path, clock: Any) -> None:
    in_flight = InFlight(tmp_path)
    with in_flight.held():
        assert not in_flight.wait(5, clock=clock, sleep=clock.sleep)
    assert 5 <= clock.now_s < 6
    assert in_flight.wait(5, clock=clock, sleep=clock.sleep)
