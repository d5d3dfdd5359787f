"""A game-day: a suite is played in order, and stops where going on would be wrong.

It stops when an undo failed, when data was not safe, and when the error budget of the day is burnt;
it is interrupted by a signal and by the end of its window, and may be resumed after that. Whatever
is not played says why.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Literal

from quorate.harness.errors import Interrupted, QuorateError, RefusedError, StoreError, UndoFailed
from quorate.harness.judge.cost import outage_cost_s
from quorate.harness.model.verdict import State
from quorate.harness.run.outcome import Outcome
from quorate.harness.run.signals import Ending
from quorate.harness.run.suite import Entry, Suite
from quorate.harness.store.run_directory import RunDirectory

GamedayState = Literal["going", "finished", "stopped", "interrupted"]
"""A game-day that was killed stays ``going``. What is stopped is not resumed."""

UNDO_FAILED = UndoFailed.exit_code


@dataclass(frozen=True)
class Seen:
    """What a run's directory tells beside its verdict.

    ``unsafe``: checks of data safety that were MISSED. ``outage_s``: what it cost clients; None
    where that cannot be told.
    """

    unsafe: tuple[str, ...] = ()
    outage_s: float | None = None


@dataclass(frozen=True)
class Played:
    """One experiment of a game-day.

    ``outcome``: None where it was not played, and ``not_played`` says why. ``content``: the digest
    of what it asked. ``before``: it was played before the game-day was resumed.
    """

    entry: Entry
    outcome: Outcome | None
    seen: Seen = Seen()
    not_played: str = ""
    content: str = ""
    started: str = ""
    duration_s: float | None = None
    before: bool = False

    @property
    def as_expected(self) -> bool:
        """The verdict is the one that was expected, data was safe, and nothing is left on."""
        return (
            self.is_over
            and self.outcome is not None
            and self.outcome.exit_code != UNDO_FAILED
            and self.outcome.verdict is self.entry.expect
            and not self.seen.unsafe
        )

    @property
    def is_over(self) -> bool:
        """It was begun, ended by itself and has its verdict: it is not played again when the
        game-day is resumed."""
        return (
            self.outcome is not None
            and self.outcome.verdict is not None
            and self.outcome.error not in (Interrupted.__name__, RefusedError.__name__)
        )


def look(outcome: Outcome) -> Seen:
    """From disk. Nothing was broken where nothing was begun."""
    if outcome.directory is None:
        return Seen(outage_s=0.0)
    try:
        directory = RunDirectory.open(outcome.directory)
        verdict, experiment = directory.verdict(), directory.experiment()
    except StoreError:
        return Seen(outage_s=0.0 if outcome.error == RefusedError.__name__ else None)
    return Seen(verdict.unsafe, outage_cost_s(experiment, verdict))


def _ignore(day: Gameday) -> None:
    """Nobody keeps it."""


@dataclass
class Gameday:
    """One game-day from its first experiment to its last.

    Args:
        digest: of what an experiment asks, its bounds included.
        keep: called with the game-day after every experiment, and at the end.
        not_now: why nothing more may begin, "" where it may.
        before: what was played before it was resumed.
    """

    suite: Suite
    play: Callable[[Entry], Outcome]
    say: Callable[[str], None]
    look: Callable[[Outcome], Seen] = look
    digest: Callable[[Entry], str] = lambda entry: ""
    keep: Callable[[Gameday], None] = _ignore
    not_now: Callable[[], str] = lambda: ""
    before: Sequence[Played] = ()
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    played: list[Played] = field(default_factory=list)
    state: GamedayState = "going"
    why: str = ""
    burnt: bool = False

    def run(self) -> list[Played]:
        """Play what is to be played; every experiment of the suite is in what comes back."""
        try:
            self.keep(self)
            for entry in self.suite.entries[len(self.played) :]:
                self._take(self._kept(entry) or self._next(entry))
                self.keep(self)
        except (KeyboardInterrupt, Ending):
            self._end("interrupted", "the game-day was interrupted")
        for entry in self.suite.entries[len(self.played) :]:
            self.played.append(Played(entry, None, not_played=self.why))
        if self.state == "going":
            self.state = "finished"
        self.keep(self)
        return self.played

    @property
    def spent_s(self) -> float:
        """Seconds without service that experiments which are to be MET have cost so far."""
        costs = (one.seen.outage_s for one in self.played if one.entry.expect is State.MET)
        return sum(cost for cost in costs if cost is not None)

    def _kept(self, entry: Entry) -> Played | None:
        """What came of the same experiment before the game-day was resumed."""
        if self.state != "going":
            return None
        content = self.digest(entry)
        same = (
            one
            for one in self.before
            if one.is_over and one.entry == entry and one.content == content
        )
        return next((replace(one, before=True) for one in same), None)

    def _next(self, entry: Entry) -> Played:
        if self.state == "going" and (reason := self.not_now()):
            self._end("interrupted", reason)
        if self.state != "going":
            return Played(entry, None, not_played=self.why)
        self.say(f"=== {entry.file.name}, expected: {entry.expect.value}")
        begun, started = self.clock(), self.now().isoformat(timespec="seconds")
        try:
            outcome = self.play(entry)
        except QuorateError as error:
            outcome = Outcome(error.exit_code, reason=str(error), error=type(error).__name__)
        return Played(
            entry,
            outcome,
            self.look(outcome),
            content=self.digest(entry),
            started=started,
            duration_s=round(self.clock() - begun, 1),
        )

    def _take(self, one: Played) -> None:
        self.played.append(one)
        if one.outcome is None:
            return
        self.say(line_of_result(one))
        name = one.entry.file.stem
        if one.outcome.exit_code == UNDO_FAILED:
            self._end("stopped", "an undo failed, the cluster may still be faulted")
        elif one.outcome.error == Interrupted.__name__:
            self._end("interrupted", "the game-day was interrupted")
        elif one.seen.unsafe:
            self._end("stopped", f"data was not safe in {name}: {'; '.join(one.seen.unsafe)}")
        else:
            self._spend(one, name=name)

    def _spend(self, one: Played, *, name: str) -> None:
        budget_s = self.suite.budget_s
        if budget_s is None or one.entry.expect is not State.MET:
            return
        if one.seen.outage_s is None:
            self._end("stopped", f"what {name} cost is not known, and there is an error budget")
        elif self.spent_s > budget_s:
            self.burnt = True
            told = f"{self.spent_s:.1f} s of {budget_s:g} s"
            self._end("stopped", f"the error budget of the day is burnt: {told}")

    def _end(self, state: GamedayState, why: str) -> None:
        if self.state == "going":
            self.state, self.why = state, why


def exit_code(played: Iterable[Played], *, burnt: bool = False) -> int:
    """0: each as expected. 4: an undo failed. 1: a verdict differs, data was not safe, or the error
    budget is burnt. 3: one is not decided, was interrupted, or was not played."""
    wrong = [one for one in played if not one.as_expected]
    if any(one.outcome and one.outcome.exit_code == UNDO_FAILED for one in wrong):
        return UNDO_FAILED
    decided = (State.MET, State.MISSED)
    if burnt or any(one.is_over and one.outcome.verdict in decided for one in wrong if one.outcome):
        return 1
    return 3 if wrong else 0


def line_of_result(one: Played) -> str:
    """One line of the summary, and where the run lies."""
    name, expected = one.entry.file.name, one.entry.expect.value
    mark = "as expected" if one.as_expected else "NOT AS EXPECTED"
    if one.outcome is None:
        return f"{name}: not played (expected {expected}): {one.not_played}"
    verdict = one.outcome.verdict.value if one.outcome.verdict else "no verdict"
    text = f"{name}: {verdict}, expected {expected}: {mark}"
    text += " (played before it was resumed)" if one.before else ""
    reasons = [*([one.outcome.reason] if one.outcome.reason else []), *one.seen.unsafe]
    if not one.as_expected and reasons:
        text += "".join(f"\n  {reason}" for reason in reasons)
    return text + (f"\n  {one.outcome.directory}" if one.outcome.directory else "")


def summary_text(day: Gameday) -> str:
    """What a person reads at the end of a game-day."""
    good = sum(one.as_expected for one in day.played)
    head = [f"{day.suite.title}: {good} of {len(day.suite.entries)} as expected"]
    head += [f"{day.state}: {day.why}"] if day.why else []
    if day.suite.budget_s is not None:
        head.append(f"error budget: {day.spent_s:.1f} s of {day.suite.budget_s:g} s spent")
    return "\n".join([*head, *(line_of_result(one) for one in day.played)])
