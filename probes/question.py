"""A probe as data: an HTTP GET, and what a right answer looks like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Question:
    """One probe of the catalogue.

    Args:
        name: its word in an experiment. path: of the URL, with its query; empty where the run's
            own registers are asked.
        status: codes that are right. body_contains: text that a right body holds.
        summary: one line for people.
        of: whom it asks: the API, the same for the run's registers (they are written), or the
            service under watch (plain HTTP, at a NodePort).
    """

    name: str
    path: str
    status: tuple[int, ...]
    body_contains: str
    summary: str
    of: Literal["api", "register", "service"] = "api"
