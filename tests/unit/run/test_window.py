"""When a game-day may begin."""

from __future__ import annotations

from datetime import datetime

import pytest

from quorate.harness.errors import UsageError
from quorate.harness.run.window import not_now, read_freeze, read_window


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("window", "moment", "holds"),
    [
        ("22:00-04:00", "22:00:00", True),
        ("22:00-04:00", "03:59:59", True),
        ("22:00-04:00", "04:00:00", False),
        ("22:00-04:00", "21:59:59", False),
        ("22:00-04:00", "12:00:00", False),
        ("09:00-17:00", "09:00:00", True),
        ("09:00-17:00", "17:00:00", False),
        ("09:00-17:00", "03:00:00", False),
    ],
)
def test_a_window_may_lie_over_midnight(window: str, moment: str, holds: bool) -> None:
    said = not_now(at(f"2026-11-27T{moment}"), window=read_window(window), freezes=())
    assert said == ("" if holds else f"it is {moment[:5]}, outside the window {window}")


@pytest.mark.parametrize(
    ("freeze", "day", "frozen"),
    [
        ("2026-12-20..2027-01-06", "2026-12-19", False),
        ("2026-12-20..2027-01-06", "2026-12-20", True),
        ("2026-12-20..2027-01-06", "2027-01-06", True),
        ("2026-12-20..2027-01-06", "2027-01-07", False),
        ("2026-12-24", "2026-12-24", True),
        ("2026-12-24", "2026-12-25", False),
    ],
)
def test_both_ends_of_a_freeze_belong_to_it(freeze: str, day: str, frozen: bool) -> None:
    said = not_now(at(f"{day}T23:30"), window=None, freezes=(read_freeze(freeze),))
    assert said == (f"{day} lies in the freeze {read_freeze(freeze)}" if frozen else "")


def test_without_either_it_may() -> None:
    assert not_now(at("2026-12-24T12:00"), window=None, freezes=()) == ""


@pytest.mark.parametrize(
    "text", ["", "22-04", "22:00", "25:00-04:00", "22:00-22:00", "a-b", "9:00-17:00"]
)
def test_what_is_no_window_is_usage(text: str) -> None:
    with pytest.raises(UsageError, match="like 22:00-04:00"):
        read_window(text)


@pytest.mark.parametrize(
    "text",
    ["", "christmas", "2026-12-20..", "2026-12-20..2026-12-19", "2026-02-30", "..2026-01-01"],
)
def test_what_is_no_freeze_is_usage(text: str) -> None:
    with pytest.raises(UsageError, match=r"like 2026-12-20\.\.2027-01-06"):
        read_freeze(text)
