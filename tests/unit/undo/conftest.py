from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from quorate.harness.model.undo import Undo


@pytest.fixture
def undo() -> Callable[..., Undo]:
    """Makes an undo of an id, with sensible other values."""

    def make(undo_id: str = "u1", **changes: Any) -> Undo:
        values: dict[str, Any] = {
            "id": undo_id,
            "injection": "node_power_off",
            "node": "harness",
            "argv": ("true",),
            "text": f"take {undo_id} back",
        }
        return Undo.model_validate(values | changes)

    return make


class Clock:
    """A clock that moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()
