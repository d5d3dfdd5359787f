"""Playing experiments several times, and what the runs of each say together at the end."""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from quorate.harness.errors import Interrupted, QuorateError, StoreError, UndoFailed
from quorate.harness.judge.repetition import Trial, share_of, summarize
from quorate.harness.model.repetition import Repetition
from quorate.harness.model.verdict import State
from quorate.harness.run import live, play
from quorate.harness.run.outcome import Outcome
from quorate.harness.run.regression import regress, save_baseline
from quorate.harness.run.signals import Ending
from quorate.harness.store.run_directory import ExperimentSource, RunDirectory

UNTRIED_IN_A_ROW = 3
"""So many runs in which nothing was broken end a series: what is in their way will not go by itself
(a lock, an undo that is pending, a cluster that does not become whole)."""


@dataclass(frozen=True)
class Turn:
    """One run of a series: its place, from 1 (0: it stands alone), and its seed."""

    place: int
    seed: int | None


@dataclass
class Series:
    """What became of one experiment (its file's name).

    ``ended``: why it ended early, "" if it did not. ``ended_with``: 0, or the exit code that this
    asks of the command at least; nothing else is played then.
    """

    experiment: str
    asked: int
    seed: int | None
    outcomes: list[Outcome] = field(default_factory=list)
    trials: list[tuple[RunDirectory, Trial]] = field(default_factory=list)
    ended: str = ""
    ended_with: int = 0
    _untried: int = 0

    def take(self, outcome: Outcome) -> None:
        """One more run; it may end the series."""
        self.outcomes.append(outcome)
        trial = _trial_of(outcome)
        self._untried = 0 if trial else self._untried + 1
        if trial:
            self.trials.append(trial)
        if outcome.exit_code == UndoFailed.exit_code:
            self.end("an undo failed, the cluster may still be faulted", UndoFailed.exit_code)
        elif outcome.error == Interrupted.__name__:
            self.end("interrupted", Interrupted.exit_code)
        elif self._untried == UNTRIED_IN_A_ROW:
            why = f"nothing was broken in {UNTRIED_IN_A_ROW} runs in a row: {outcome.reason}"
            self.end(why, 0)

    def end(self, why: str, code: int) -> None:
        """No further run of this series, and where there is a code, of none."""
        self.ended, self.ended_with = why, code


def play_all(
    sources: Sequence[ExperimentSource],
    *,
    times: int,
    options: live.Options,
    tell: Callable[[Outcome], None],
) -> Iterator[Series]:
    """Play each experiment so many times; each run's outcome is told as soon as it is over, each
    series given as soon as it is."""
    for source in sources:
        one = partial(_play_one, source, times=times, options=options)
        series = Series(source.file, times, _seed(options.seed, times=times))
        play_series(series, one=one, tell=tell)
        yield series
        if series.ended_with:
            break


def _play_one(
    source: ExperimentSource, turn: Turn, *, times: int, options: live.Options
) -> Outcome:
    if turn.place:
        options.progress.say(f"=== {source.file}: run {turn.place} of {times}")
    return play.play_source(source, options=replace(options, seed=turn.seed, place=turn.place))


def play_series(
    series: Series, *, one: Callable[[Turn], Outcome], tell: Callable[[Outcome], None]
) -> None:
    """Play ``one`` as often as is asked. Whatever ends it early, what was done so far is kept; only
    an error that keeps the first run from taking place is raised."""
    for turn in _turns(series):
        try:
            series.take(one(turn))
            tell(series.outcomes[-1])
        except (KeyboardInterrupt, Ending):
            series.end("interrupted", Interrupted.exit_code)
        except QuorateError as error:
            if not series.outcomes:
                raise
            series.end(str(error), error.exit_code)
        if series.ended:
            break


def conclude(series: Series, *, runs: Path, save: bool) -> Repetition:
    """What the runs say together, also beside the baseline stored in the runs directory.

    `save`: store them as the baseline, in place of the one that they were compared with.
    """
    trials = [trial for _, trial in series.trials]
    directories = [directory for directory, _ in series.trials]
    indicators = summarize(trials)
    said = Repetition(
        experiment=series.experiment,
        seed=series.seed or 0,
        asked=series.asked,
        played=len(series.outcomes),
        untried=len(series.outcomes) - len(trials),
        ended_early=series.ended,
        share=share_of([trial.state for trial in trials]),
        indicators=indicators,
        regression=regress(directories, measured=indicators, runs=runs),
    )
    return save_baseline(said, directories=directories, runs=runs) if save else said


def _seed(given: int | None, *, times: int) -> int | None:
    """A series has one seed, drawn where none is given; a run alone draws its own."""
    return secrets.randbelow(2**31) if given is None and times > 1 else given


def _turns(series: Series) -> list[Turn]:
    """With one seed for all, each run would choose the same targets and the same phase."""
    if series.asked == 1:
        return [Turn(0, series.seed)]
    drawn = random.Random(f"{series.seed}:series")
    return [Turn(place, drawn.randrange(2**31)) for place in range(1, series.asked + 1)]


def _trial_of(outcome: Outcome) -> tuple[RunDirectory, Trial] | None:
    """None where nothing was broken, or where there is no verdict that can be read."""
    if outcome.directory is None or outcome.verdict is None:
        return None
    try:
        directory = RunDirectory.open(outcome.directory)
        verdict = directory.verdict()
    except StoreError:
        return None
    state = State.MISSED if verdict.verdict is State.MISSED else State.INCONCLUSIVE
    if outcome.exit_code == 0:
        state = State.MET
    if state is State.INCONCLUSIVE and verdict.story.injected_at is None:
        return None
    return directory, Trial(state, verdict)
