"""Long repetitions against a lab that is up; each finished piece makes rows in docs/evidence/.

    python -m tests.lab.soak [KIND …] [--rows N]

known-answers  outages of known length of a server in a namespace (tests/known); needs no lab
peers          the same outages as other tools see them (tests/known/peers.py); needs no lab
kills          SIGKILL to the harness, or to it and its guardian, at a random instant of a run
signals        SIGINT or SIGTERM at a random instant of a run: it must need no `quorate undo`
reboots        each fault, harness and guardian killed while it is on, and its node's power cycled
experiments    each experiment and control as shipped, and whether it came out as expected
predicted      ten runs of each fault whose numbers are predicted: measured beside predicted, and
               whether the cluster kept what it acknowledged
timers         the same with timers set otherwise: both must move
observer       tests/observer/compare.py: the outage beside what an independent program measured

After each piece on the lab the cluster must be whole, and after each kill, signal and reboot every
node as it was before (residue.py). It may be stopped and started at will: it goes on until each
table has N good rows of this version and machine. Exit code 1 when a row says that something was
left, that a run came out otherwise, or that a printed number was wrong.
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
from tests.evidence import EVIDENCE, ROOT, Stamped, machine, row_appended, rows_read
from tests.known.peers import CELLS, Compared, compared
from tests.known.pieces import Known, known_answers
from tests.known.switch import MODES
from tests.lab.conftest import Lab
from tests.lab.hurried import ON_THIS_LAB
from tests.lab.measured import OTHER_TIMERS, PREDICTED, Measured, measure
from tests.lab.pieces import Kill, Played, Reboot, Signal, Soak, expectations
from tests.observer import compare


@dataclass(frozen=True)
class Kind:
    """One table: its rows, how a piece is made, whose turn it can be, and how many good rows.

    A piece is told how many rows there are, and whose turn it is.
    """

    row: type[Stamped]
    piece: Callable[[int, str], Sequence[Stamped]]
    names: Sequence[str]
    rows: int


ALONE = {
    "known-answers": Kind(Known, known_answers, MODES, 299),
    "peers": Kind(Compared, compared, list(CELLS), len(CELLS)),
}
"""What needs no lab."""

ON_LAB = ("kills", "signals", "reboots", "experiments", "predicted", "timers", "observer")


def on_lab(soak: Soak) -> dict[str, Kind]:
    """The tables of a lab; the observer keeps its own."""

    def single(piece: Callable[[int, str], Stamped]) -> Callable[[int, str], Sequence[Stamped]]:
        return lambda number, name: [piece(number, name)]

    def measured(_: int, name: str) -> Sequence[Stamped]:
        return [measure(soak, name)]

    each, shipped = ON_THIS_LAB, [name for name, _ in expectations()]
    return {
        "kills": Kind(Kill, single(soak.kill), each, 100),
        "signals": Kind(Signal, single(soak.signal), each, 40),
        "reboots": Kind(Reboot, single(soak.reboot), each, len(each)),
        "experiments": Kind(Played, single(soak.play), shipped, len(shipped)),
        "predicted": Kind(Measured, measured, PREDICTED, 10 * len(PREDICTED)),
        "timers": Kind(Measured, measured, OTHER_TIMERS, 3 * len(OTHER_TIMERS)),
    }


def options_read(words: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="soak", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("kinds", nargs="*", choices=[*ALONE, *ON_LAB, []])
    parser.add_argument("--rows", type=int, help="good rows that each table shall have")
    parser.add_argument("--for-min", type=float, default=1e9, help="begin no piece after this")
    parser.add_argument("--lab", default="quorate", help="a lab that is up")
    return parser.parse_args(words)


def main(words: list[str] | None = None) -> int:
    """Go on with each table until it is long enough; 1 when a row speaks against quorate."""
    options = options_read(words)
    asked = options.kinds or [*ALONE, *ON_LAB]
    ends = time.monotonic() + 60 * options.for_min
    kinds = dict(ALONE)
    lab = Lab.called(options.lab, runs=ROOT / "runs" / "soak")
    if set(asked) - set(ALONE):
        lab.runs.mkdir(parents=True, exist_ok=True)
        kinds |= on_lab(Soak(lab))
    against = 0
    for name, kind in kinds.items():
        if name in asked:
            against += grow(EVIDENCE / f"{name}.md", kind, options=options, ends=ends)
    if "observer" in asked:
        against += compare.main(["--cluster", str(lab.cluster)])
    return 1 if against else 0


def grow(table: Path, kind: Kind, *, options: argparse.Namespace, ends: float) -> int:
    """Add rows until enough of them are good; how many are not. Whose turn it is: the rarest's."""
    against = 0
    while against < kind.rows and time.monotonic() < ends:
        rows = ours(table, kind.row)
        good = Counter(one.name for one in rows if one.ok)
        if good.total() >= (options.rows or kind.rows):
            break
        for row in kind.piece(len(rows), min(kind.names, key=lambda name: good[name])):
            row_appended(table, row)
            against += not row.ok
            good[row.name] += row.ok
            print(f"{table.stem} {good.total()}: {row.line()}", end="", flush=True)
    return against


def ours(table: Path, kind: type[Stamped]) -> list[Stamped]:
    """Rows of this version and machine."""
    rows = rows_read(table, kind)
    return [one for one in rows if (one.version, one.machine) == (__version__, machine())]


if __name__ == "__main__":
    sys.exit(main())
