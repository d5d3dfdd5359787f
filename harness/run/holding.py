"""Holding a game-day: one at a time on a cluster, kept on disk, told to whoever wants to know."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from quorate.harness.cluster.file import read_cluster
from quorate.harness.cluster.lock import ClusterLock
from quorate.harness.cluster.state import find_cluster
from quorate.harness.errors import RefusedError
from quorate.harness.model.clearance import digest_of
from quorate.harness.run import live, play
from quorate.harness.run.asked import asked_of
from quorate.harness.run.gameday import Gameday, line_of_result
from quorate.harness.run.gameday_folder import GamedayFolder
from quorate.harness.run.opening import refuse_while_pending
from quorate.harness.run.outcome import Outcome
from quorate.harness.run.progress import Numbered
from quorate.harness.run.reporting import write_suite_report
from quorate.harness.run.signals import RunSignals
from quorate.harness.run.suite import Entry, Suite
from quorate.harness.undo.pending import PendingRuns


@dataclass(frozen=True)
class Terms:
    """How a game-day is held. ``not_now``: why nothing more may begin, "" where it may. ``tell``:
    a webhook's."""

    options: live.Options
    resume: bool = False
    not_now: Callable[[], str] = lambda: ""
    tell: Callable[[str], object] | None = None


def hold(suite: Suite, terms: Terms) -> tuple[Gameday, GamedayFolder]:
    """Play it, or what is left of the one that was interrupted.

    Raises SpecError and UsageError before anything is asked of a cluster; RefusedError while
    another game-day is going on or an undo is pending.
    """
    options = terms.options
    play.check([entry.file for entry in suite.entries], options=options)
    cluster = read_cluster(find_cluster(options.cluster)).name
    asked = asked_of(suite, options=options)
    digests = {
        entry: digest_of(one.content) for entry, one in zip(suite.entries, asked, strict=True)
    }
    tell = terms.tell or (lambda text: None)
    with _one_at_a_time(options.parts.state_dir, cluster=cluster), _signals_heeded():
        refuse_while_pending(PendingRuns(options.parts.state_dir))
        make = GamedayFolder.unfinished if terms.resume else GamedayFolder.create
        folder = make(options.runs, suite=suite, cluster=cluster)
        options.progress.say(f"game-day {folder.path}")
        day = Gameday(
            suite,
            play=lambda entry: _play_one(entry, suite=suite, options=options),
            say=options.progress.say,
            digest=digests.__getitem__,
            keep=folder.keep,
            not_now=terms.not_now,
            before=folder.before,
        )
        verb = "goes on" if terms.resume else "begins"
        tell(f"game-day {suite.name} on {cluster} {verb}: {len(suite.entries)} experiments")
        day.run()
    write_suite_report(folder.path)
    tell(told(day, cluster=cluster))
    return day, folder


def told(day: Gameday, *, cluster: str) -> str:
    """What a webhook is told at the end: the answer, what stopped it, and what was not expected."""
    good = sum(one.as_expected for one in day.played)
    head = f"game-day {day.suite.name} on {cluster}: {good} of {len(day.played)} as expected"
    lines = [head, *([f"{day.state}: {day.why}"] if day.why else [])]
    wrong = [one for one in day.played if not one.as_expected and one.outcome is not None]
    return "\n".join([*lines, *(line_of_result(one) for one in wrong)])


def _play_one(entry: Entry, *, suite: Suite, options: live.Options) -> Outcome:
    """One experiment; the live line says which of how many it is."""
    place = suite.entries.index(entry)
    progress = Numbered(options.progress, f"{place + 1}/{len(suite.entries)}")
    return play.play(entry.file, options=replace(options, progress=progress, follows=place > 0))


@contextlib.contextmanager
def _one_at_a_time(state_dir: Path, *, cluster: str) -> Iterator[None]:
    """RefusedError while another game-day is held on this cluster from this machine."""
    lock = ClusterLock(state_dir, f"{cluster}.gameday")
    try:
        lock.acquire()
    except RefusedError:
        raise RefusedError(
            f"another game-day is going on on cluster {cluster} ({lock.path}): nothing was done"
        ) from None
    with lock:
        yield


@contextlib.contextmanager
def _signals_heeded() -> Iterator[None]:
    """Between two runs, which have handlers of their own, a signal ends the game-day in order."""
    signals = RunSignals()
    signals.install()
    try:
        yield
    finally:
        signals.restore()
