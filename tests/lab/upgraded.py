"""A stored `quorate upgrade` of a lab → a row of docs/evidence/upgrade.md.

python -m tests.lab.upgraded RUN MACHINES      (MACHINES: "3 control planes, 3 workers")
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.evidence import EVIDENCE, Stamped, row_appended, stamp

TABLE = EVIDENCE / "upgrade.md"
SHOWN = ("longest_outage_s", "weighted_outage_s", "not_whole_s")
_WRITES = re.compile(r"(\d+) writes acknowledged")


@dataclass(frozen=True)
class Upgraded(Stamped):
    """One upgrade."""

    lab: str
    upgrade: str
    verdict: str
    measured: str
    writes: str
    unkept: str
    upgrade_s: str

    @property
    def name(self) -> str:
        return self.lab

    @property
    def ok(self) -> bool:
        return self.verdict != "INCONCLUSIVE"


def row_of(run: Path, lab: str) -> Upgraded:
    """The row of a run directory."""
    verdict: dict[str, Any] = json.loads((run / "verdict.json").read_text())
    events = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]
    moments = {one["kind"]: one["t"] for one in events if one["kind"].startswith("work_")}
    checks = {one["name"]: one for one in verdict["data_safety"]}
    writes = _WRITES.search(checks["acknowledged_writes"]["reason"])
    return Upgraded(
        **stamp(),
        lab=lab,
        upgrade=verdict["title"].rpartition(" ")[2],
        verdict=verdict["verdict"],
        measured="; ".join(
            f"{one['indicator']} {', '.join(one['of'])} {one['value']:.2f} "
            f"({one['low']:.2f} to {one['high'] or float('nan'):.2f})".replace("  ", " ")
            for one in verdict["objectives"]
            if one["indicator"] in SHOWN and one["value"] is not None
        ),
        writes=writes[1] if writes else "-",
        unkept=", ".join(n for n, one in checks.items() if one["state"] != "MET") or "none",
        upgrade_s=f"{moments['work_ended'] - moments['work_started']:.0f}",
    )


if __name__ == "__main__":
    row = row_of(Path(sys.argv[1]), sys.argv[2])
    row_appended(TABLE, row)
    print(row.line(), end="")
