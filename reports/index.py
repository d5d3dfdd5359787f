"""index.html of a game-day: its experiments, and which claims to high availability they tested.

A claim is a part of the cluster and a way in which others meet with it when it breaks. Which of
them there are, the catalogue of faults says; what none of the runs tested is told as plainly as
what one did.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from quorate.harness.model.touch import Part, Way
from quorate.harness.model.verdict import State
from quorate.reports.html import render
from quorate.reports.junit import Case
from quorate.reports.record import UNDO_FAILED, RunRecord
from quorate.reports.rows import ObjectiveRow, objective_rows, reason_of

WAYS = {
    Way.SILENT: "silent: what is sent to it is lost",
    Way.ENDED: "ended: connections are reset or refused",
    Way.HUNG: "hung: it accepts and does not answer",
    Way.LEFT: "left in order",
}

Claim = tuple[Part, Way]


@dataclass(frozen=True)
class KnownFault:
    """A fault of the catalogue; ``claims`` has one for each way in which it can be put on."""

    name: str
    summary: str
    claims: tuple[Claim, ...]


@dataclass(frozen=True)
class Entry:
    """One experiment of the game-day.

    ``run``: None where it was not played or its directory cannot be read; ``reason`` says why.
    ``link``: its report, seen from the index; empty where there is none. ``faults``: those that
    were injected, with the claim that each is about. ``is_control``: it was put into a worse state
    first, or is an experiment on the harness itself: its verdict is about no claim.
    """

    name: str
    expected: State
    as_expected: bool
    state: State | None
    exit_code: int | None
    reason: str
    run: RunRecord | None = None
    link: str = ""
    faults: tuple[tuple[str, Claim | None], ...] = ()
    is_control: bool = False

    @property
    def objectives(self) -> list[ObjectiveRow]:
        """What was measured; empty where nothing was."""
        return [] if self.run is None else objective_rows(self.run.verdict)

    @property
    def why(self) -> str:
        """What decided."""
        return self.reason or (reason_of(self.run) if self.run is not None else "")

    @property
    def word(self) -> str:
        """The verdict, or that there is none."""
        if self.exit_code == UNDO_FAILED:
            return "UNDO FAILED"
        return self.state.value if self.state else "no verdict"


@dataclass(frozen=True)
class GameDay:
    """A whole game-day as it is stored."""

    name: str
    title: str
    ended: str
    exit_code: int
    entries: tuple[Entry, ...]
    known: tuple[KnownFault, ...]
    note: str = ""


@dataclass(frozen=True)
class Cell:
    """One claim: the runs that tested it, and the faults that would."""

    tested: list[Entry] = field(default_factory=list)
    controls: list[Entry] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def render_index(day: GameDay) -> str:
    """The whole page."""
    cells = coverage(day)
    claims = [cell for cell in cells.values() if cell.faults or cell.tested]
    return render(
        "index.html.j2",
        day=day,
        good=sum(one.as_expected for one in day.entries),
        ways=WAYS,
        parts=[part for part in Part if any(cells[part, way].faults for way in Way)],
        cells=cells,
        claims=len(claims),
        tested=sum(bool(cell.tested) for cell in claims),
        untested=_untested(day),
    )


def coverage(day: GameDay) -> dict[Claim, Cell]:
    """Every part in every way, whether there is a fault for it or not."""
    cells = {(part, way): Cell() for part in Part for way in Way}
    for known in day.known:
        for claim in known.claims:
            cells[claim].faults.append(known.name)
    for entry in day.entries:
        for claim in dict.fromkeys(claim for _, claim in entry.faults if claim is not None):
            cell = cells[claim]
            (cell.controls if entry.is_control else cell.tested).append(entry)
    return cells


def _untested(day: GameDay) -> list[KnownFault]:
    """Faults that no run of the day put on, controls left out: those test the harness."""
    done = {name for entry in day.entries if not entry.is_control for name, _ in entry.faults}
    return [known for known in day.known if known.name not in done]


def cases_of(day: GameDay) -> Sequence[Case]:
    """The same for JUnit: each experiment passes where it came to what the suite expects."""
    return list(_cases(day))


def _cases(day: GameDay) -> Iterator[Case]:
    for entry in day.entries:
        reason = entry.why or "it was not played"
        yield Case(entry.name, entry.run, expected=entry.expected, reason=reason)
