"""Long repetitions against a lab that is up; each finished piece is a row in docs/evidence/.

    python -m tests.lab.soak [kills|signals|reboots|experiments|observer …] [--rows N]

kills        SIGKILL to the harness, or to it and its guardian, at a random instant of a run
signals      SIGINT or SIGTERM at a random instant of a run: it must need no `quorate undo`
reboots      each fault, harness and guardian killed while it is on, and its node's power cycled
experiments  each experiment and control as shipped, and whether it came out as its suite expects
observer     tests/observer/compare.py: the outage beside what an independent program measured

After each piece the cluster must be whole, and after each of the first three every node as it was
before (residue.py). It may be stopped and started at will: it goes on until each table has N good
rows of this version and machine. Exit code 1 when a row says that something was left or that a run
came out otherwise.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from quorate import __version__
from quorate.harness.cluster.state import state_directory
from quorate.harness.faults.catalogue import FAULTS
from tests.evidence import EVIDENCE, ROOT, machine, row_appended, rows_read
from tests.lab.conftest import Lab
from tests.lab.pieces import Kill, Played, Reboot, Signal, Soak, Stamped, expectations
from tests.observer import compare


@dataclass(frozen=True)
class Kind:
    """One table: its rows, how a piece is made, whose turn it can be, and how many good rows."""

    row: type[Stamped]
    piece: Callable[[Soak, int, str], Stamped]
    names: Sequence[str]
    rows: int


EACH = sorted(FAULTS)
ALL = [name for name, _ in expectations()]
KINDS = {
    "kills": Kind(Kill, Soak.kill, EACH, 100),
    "signals": Kind(Signal, Soak.signal, EACH, 40),
    "reboots": Kind(Reboot, Soak.reboot, EACH, len(EACH)),
    "experiments": Kind(Played, Soak.play, ALL, len(ALL)),
}


def options_read(words: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="soak", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("kinds", nargs="*", choices=[*KINDS, "observer", []])
    parser.add_argument("--rows", type=int, help="good rows that each table shall have")
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
    for name, kind in KINDS.items():
        if name in kinds:
            against += grow(EVIDENCE / f"{name}.md", kind, soak=soak, options=options, ends=ends)
    if "observer" in kinds:
        against += compare.main(["--cluster", str(cluster)])
    return 1 if against else 0


def grow(table: Path, kind: Kind, *, soak: Soak, options: argparse.Namespace, ends: float) -> int:
    """Add rows until enough of them are good; how many are not. Whose turn it is: the rarest's."""
    against = 0
    while against < kind.rows and time.monotonic() < ends:
        rows = ours(table, kind.row)
        good = Counter(one.name for one in rows if one.ok)
        if good.total() >= (options.rows or kind.rows):
            break
        row = kind.piece(soak, len(rows), min(kind.names, key=lambda name: good[name]))
        row_appended(table, row)
        against += not row.ok
        print(f"{table.stem} {good.total() + row.ok}: {row.line()}", end="", flush=True)
    return against


def ours(table: Path, kind: type[Stamped]) -> list[Stamped]:
    """Rows of this version and machine."""
    rows = rows_read(table, kind)
    return [one for one in rows if (one.version, one.machine) == (__version__, machine())]


if __name__ == "__main__":
    sys.exit(main())
