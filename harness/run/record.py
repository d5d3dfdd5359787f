"""Run directory → what a report is made of; whole, still going, crashed or damaged at its edges.

A run that never closed is judged from what is there, whatever verdict.json says: so it is never
MET. What a report can do without (the journal of undos, the fingerprint) is missed, not demanded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from quorate.harness.errors import StoreError, UsageError
from quorate.harness.judge import judge
from quorate.harness.judge.evidence import Evidence
from quorate.harness.judge.intervals import intervals
from quorate.harness.model.experiment import Experiment
from quorate.harness.model.timeline import Timeline
from quorate.harness.model.verdict import State, Verdict
from quorate.harness.run.outcome import EXIT_CODES
from quorate.harness.store.run_directory import RunDirectory
from quorate.harness.undo.journal import JOURNAL_NAME, JournalState, UndoJournal
from quorate.reports.record import UNDO_FAILED, Judged, Outage, RunRecord, StoredUndo, Stretch

PAGE_NAME = "report.html"
"""A run's page, in its directory."""

NOT_ENDED = "not ended"
PHASES = ("baseline", "fault", "return")

T = TypeVar("T")


def open_run(run: str | None, *, runs: Path) -> RunDirectory:
    """The run directory named (a path, or an id below ``runs``); the newest where none is.

    UsageError where there is none, StoreError where it is no run of ours.
    """
    if run is not None:
        path = Path(run)
        return RunDirectory.open(path if path.is_dir() else runs / run)
    stored = sorted(file.parent for file in runs.glob("*/run.json"))
    if not stored:
        raise UsageError(f"no run in {runs}; name one")
    return RunDirectory.open(stored[-1])


def read_record(directory: RunDirectory, *, verdict: Verdict | None = None) -> RunRecord:
    """Everything about a run that its report tells; ``verdict`` where it was just judged.

    StoreError or SpecError where the run cannot be read at all.
    """
    experiment, timeline = directory.experiment(), directory.timeline()
    verdict, judged_now = _verdict(directory, verdict, experiment=experiment, timeline=timeline)
    evidence = Evidence.of(experiment, timeline)
    unreadable: list[str] = []
    journal = _spared(UndoJournal(directory.path / JOURNAL_NAME).read, unreadable) or JournalState()
    unreadable += [f"{JOURNAL_NAME}:{line}: cannot be read" for line in journal.damaged]
    prints = directory.path / "fingerprint.json"
    closed = timeline.last("run_closed")
    ended = NOT_ENDED if closed is None else str(closed.data.get("reason", "for no reason given"))
    return RunRecord(
        name=directory.path.name,
        verdict=verdict,
        exit_code=_exit_code(verdict.verdict, ended=ended, clean=journal.clean),
        ended=ended,
        why_ended=str(closed.data.get("text", "")) if closed is not None else evidence.cut_short,
        identity=directory.identity(),
        experiment=experiment,
        timeline=timeline,
        phases=tuple(
            Stretch(name, evidence.phases[name].start, evidence.phases[name].end)
            for name in PHASES
            if name in evidence.phases
        ),
        judged=tuple(_judged(evidence)),
        undos=tuple(StoredUndo(one, one.id in journal.settled) for one in journal.undos),
        fingerprint=_spared(directory.fingerprint, unreadable) if prints.exists() else None,
        judged_now=judged_now,
        unreadable=tuple(unreadable),
        faults=tuple(_faults(timeline)),
        source=(directory.path / "experiment.yaml").read_text(encoding="utf-8"),
    )


def _verdict(
    directory: RunDirectory,
    given: Verdict | None,
    *,
    experiment: Experiment,
    timeline: Timeline,
) -> tuple[Verdict, str]:
    """The verdict to be told, and why it is not the stored one."""
    if given is not None:
        return given, ""
    if timeline.last("run_closed") is None:
        return judge(experiment, timeline), "the run has not ended, so nothing in it is final"
    if not (directory.path / "verdict.json").exists():
        return judge(experiment, timeline), "the run holds no verdict.json"
    stored = directory.verdict()
    if stored.run_id != directory.run_id:
        raise StoreError(
            f"{directory.path}/verdict.json: is of another run, {stored.run_id!r:.80}; "
            f"`quorate judge {directory.path}` makes it again"
        )
    return stored, ""


def _exit_code(state: State, *, ended: str, clean: bool) -> int:
    """As `exit_code_of` would have it; from disk alone, where an undo is known by its journal."""
    if not clean and ended != NOT_ENDED:
        return UNDO_FAILED
    early = ended in (NOT_ENDED, "interrupted")
    if early or (ended != "completed" and state is State.MET):
        return EXIT_CODES[State.INCONCLUSIVE]
    return EXIT_CODES[state]


def _judged(evidence: Evidence) -> Iterator[Judged]:
    for probe in evidence.experiment.probes:
        for deadline_s in evidence.experiment.deadlines_s(probe):
            seen = evidence.classified(probe, deadline_s=deadline_s)
            yield Judged(
                probe,
                deadline_s=deadline_s,
                first_due=seen.first_due,
                period_s=seen.period_s,
                codes=seen.codes,
                first_k=seen.first_k,
                outages=tuple(Outage(*one) for one in intervals(seen)),
            )


def _faults(timeline: Timeline) -> Iterator[Stretch]:
    """For how long each fault was on: from its act until its undo was done, or the data's end."""
    done = {str(event.data.get("injection")): event.t for event in timeline.of_kind("undo_done")}
    for event in timeline.of_kind("injection_started"):
        name = str(event.data.get("fault", "?"))
        yield Stretch(name, event.t, done.get(str(event.data.get("injection")), timeline.end))


def _spared(read: Callable[[], T], unreadable: list[str]) -> T | None:
    """What is read; None and a note where a file is damaged that the report can do without."""
    try:
        return read()
    except StoreError as error:
        unreadable.append(str(error))
        return None
