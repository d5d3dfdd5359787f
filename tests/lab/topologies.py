"""A game-day on a lab of another shape → a row of docs/evidence/topologies.md.

python -m tests.lab.topologies GAMEDAY SHAPE      (SHAPE: the options of `quorate lab up`)
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.evidence import EVIDENCE, Stamped, row_appended, stamp

TABLE = EVIDENCE / "topologies.md"


@dataclass(frozen=True)
class Shaped(Stamped):
    """One game-day."""

    lab: str
    suite: str
    as_expected: str
    otherwise: str
    outages_s: str
    day_s: str

    @property
    def name(self) -> str:
        return self.lab

    @property
    def ok(self) -> bool:
        return self.otherwise == "none"


def row_of(folder: Path, lab: str) -> Shaped:
    """The row of a game-day's folder."""
    summary: dict[str, Any] = json.loads((folder / "summary.json").read_text())
    each = summary["experiments"]
    others = [f"{one['name']}: {one['verdict']}" for one in each if not one["as_expected"]]
    outages = [f"{one['name']} {one['outage_s']:g}" for one in each if one["outage_s"] is not None]
    return Shaped(
        **stamp(),
        lab=lab,
        suite=summary["suite"],
        as_expected=f"{len(each) - len(others)} of {len(each)}",
        otherwise=", ".join(others) or "none",
        outages_s=", ".join(outages),
        day_s=f"{sum(one['duration_s'] for one in each):.0f}",
    )


if __name__ == "__main__":
    row = row_of(Path(sys.argv[1]), sys.argv[2])
    row_appended(TABLE, row)
    print(row.line(), end="")
