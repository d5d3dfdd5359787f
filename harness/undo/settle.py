"""Taking back what a journal says is on: newest first, never stopping half-way."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from quorate.harness.errors import StoreError, UndoFailed
from quorate.harness.model.undo import Undo
from quorate.harness.undo.durable import storing
from quorate.harness.undo.in_flight import InFlight
from quorate.harness.undo.journal import JOURNAL_NAME, UndoJournal
from quorate.harness.undo.pending import PendingRuns
from quorate.harness.undo.signals import signals_held

_LOG = logging.getLogger(__name__)

Execute = Callable[[Undo], None]

LEASE = "lease"
"""The injection that is no fault: the cluster is kept for this run until all else is off."""


def settle(journal: UndoJournal, undos: Sequence[Undo], execute: Execute) -> None:
    """Carry out those of ``undos`` that the journal holds as pending, newest first.

    Every one is tried, whatever the others do. Waits for another settlement of the same journal
    (flock) and for the run's own commands still in flight; what was settled meanwhile is not done
    again, and what was never recorded is skipped, since its act never began. The run's Lease is
    left alone while anything else is on, or may be: it keeps other runs away. SIGINT, SIGTERM and
    SIGHUP are held until it is over.

    Raises UndoFailed at the end, caused by an ExceptionGroup, if an undo failed, its settlement
    could not be written down, or a damaged line of the journal could hide one.
    """
    if not journal.path.exists():
        return
    with signals_held(), _alone(journal):
        _wait_for_acts(journal)
        wanted = {undo.id for undo in undos}
        state = journal.read()
        failures: list[tuple[str, Exception]] = []
        left = {undo.id for undo in state.pending if undo.injection != LEASE}
        for undo in state.pending:
            if undo.id not in wanted or (undo.injection == LEASE and (left or state.damaged)):
                continue
            try:
                execute(undo)
                journal.settled(undo)
                left.discard(undo.id)
            except Exception as error:  # one that fails must not keep the others from being tried
                _LOG.error("undo %s failed: %s", undo.id, error)
                failures.append((undo.id, error))
        failures += [
            (f"line {number}", StoreError("cannot be read; it may hide an undo"))
            for number in state.damaged
        ]
    if failures:
        group = ExceptionGroup("undos that failed", [error for _, error in failures])
        raise UndoFailed(failures, journal=journal.path) from group


def settle_run(run_dir: Path, *, execute: Execute, registry: PendingRuns) -> tuple[Undo, ...]:
    """Settle all that a run left pending, then take the run off the registry; returns what it was.

    Raises UndoFailed as `settle` does; the run then stays registered.
    """
    journal = UndoJournal(run_dir / JOURNAL_NAME)
    pending = journal.pending()
    settle(journal, pending, execute)
    registry.remove(run_dir)
    return pending


@contextlib.contextmanager
def _alone(journal: UndoJournal) -> Iterator[None]:
    """Hold the journal's flock, waiting for it; every undo is bounded in time, so is the wait."""
    with storing(journal.path):
        descriptor = os.open(journal.path, os.O_RDONLY)
    try:
        with storing(journal.path):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _wait_for_acts(journal: UndoJournal) -> None:
    if not InFlight(journal.path.parent).wait():
        _LOG.warning("%s: a command of this run is still running; undoing anyway", journal.path)
