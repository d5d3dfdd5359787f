"""Long repetitions against a lab that is up; each finished piece is a row in docs/evidence/.

    python -m tests.lab.soak [kills|signals|reboots|experiments|observer …] [--rows N]

kills        SIGKILL to the harness, or to it and its guardian, at a random instant of a run
signals      SIGINT or SIGTERM at a random instant of a run: it must need no `quorate undo`
reboots      each fault, harness and guardian killed while it is on, and its node's power cycled
experiments  each experiment and control as shipped, and whether it came out as its suite expects
observer     tests/observer/compare.py: the outage beside what an independent program measured

After each piece the cluster must be whole, and after each of the first three every node as it was
before (residue.py). It may be stopped and started at will: it goes on until each table has N rows
for this version and machine. Exit code 1 when a row says that something was left or that a run
came out otherwise.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from collections.abc import Callable
from pathlib import Path

from quorate import __version__
from quorate.harness.cluster.state import state_directory
from quorate.harness.faults.catalogue import FAULTS
from tests.evidence import EVIDENCE, ROOT, machine, row_appended, rows_read
from tests.lab.conftest import Lab
from tests.lab.pieces import Kill, Played, Reboot, Signal, Soak, Stamped, expectations
from tests.observer import compare

KINDS: dict[str, tuple[type[Stamped], Callable[[Soak, int], Stamped], int]] = {
    "kills": (Kill, Soak.kill, 100),
    "signals": (Signal, Soak.signal, 40),
    "reboots": (Reboot, Soak.reboot, len(FAULTS)),
    "experiments": (Played, Soak.play, len(list(expectations()))),
}
"""Kind → its row, how a piece is made, and how many rows are asked for."""


def options_read(words: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="soak", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("kinds", nargs="*", choices=[*KINDS, "observer", []])
    parser.add_argument("--rows", type=int, help="rows that each table shall have")
    parser.add_argument("--for-min", type=float, default=1e9, help="begin no piece after this")
    parser.add_argument("--lab", default="quorate", help="a lab that is up")
    return parser.parse_args(words)


def main(words: list[str] | None = None) -> int:
    """Go on with each table until it is long enough; 1 when a row speaks against quorate."""
    options = options_read(words)
    runs = ROOT / "runs" / "soak"
    runs.mkdir(parents=True, exist_ok=True)
    cluster = state_directory() / "labs" / options.lab / "cluster.yaml"
    soak = Soak(Lab(options.lab, cluster, runs, ROOT))
    ends = time.monotonic() + 60 * options.for_min
    against = 0
    kinds = options.kinds or [*KINDS, "observer"]
    for kind in KINDS:
        if kind not in kinds:
            continue
        row_kind, piece, rows = KINDS[kind]
        table = EVIDENCE / f"{kind}.md"
        for number in itertools.count(len(ours(table, row_kind))):
            if number >= (options.rows or rows) or time.monotonic() > ends:
                break
            row = piece(soak, number)
            row_appended(table, row)
            against += not row.ok
            print(f"{kind} {number + 1}: {row.line()}", end="", flush=True)
    if "observer" in kinds:
        against += compare.main(["--cluster", str(cluster)])
    return 1 if against else 0


def ours(table: Path, kind: type[Stamped]) -> list[Stamped]:
    """Rows of this version and machine."""
    rows = rows_read(table, kind)
    return [one for one in rows if (one.version, one.machine) == (__version__, machine())]


if __name__ == "__main__":
    sys.exit(main())
