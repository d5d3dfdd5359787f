"""The stored baseline of a cluster as it is: found, compared with, replaced."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from quorate.harness.errors import StoreError, UsageError
from quorate.harness.judge.regression import LEAST_RUNS, compare
from quorate.harness.model.fingerprint import Fingerprint, changes
from quorate.harness.model.repetition import Baseline, Measured, Regression, Repetition
from quorate.harness.store.baselines import Baselines, question_of
from quorate.harness.store.run_directory import RunDirectory, version


def regress(
    directories: Sequence[RunDirectory], *, measured: Sequence[Measured], runs: Path
) -> Regression:
    """The runs' numbers beside those of the baseline for their experiment and cluster, if any."""
    try:
        fingerprint = _fingerprint_of(directories)
        question = question_of(directories[0].experiment())
        stored = Baselines(runs)
        found = stored.find(question=question, fingerprint=fingerprint.id)
        other = None if found else stored.newest(question=question)
    except StoreError as error:
        return Regression(note=str(error))
    if found is not None:
        path, baseline = found
        return Regression(
            fingerprint=fingerprint.id,
            baseline=str(path),
            saved=baseline.saved,
            comparisons=compare(measured, baseline),
        )
    if other is None:
        note = "no baseline is stored for this experiment; --save-baseline stores one"
        return Regression(fingerprint=fingerprint.id, note=note)
    return Regression(
        fingerprint=fingerprint.id,
        saved=other.saved,
        changes=changes(other.fingerprint, fingerprint),
        note="the stored baseline is of another configuration of the cluster",
    )


def check_length(runs: int) -> None:
    """UsageError where a series is too short to become a baseline."""
    if runs < LEAST_RUNS:
        raise UsageError(f"--save-baseline needs --repeat {LEAST_RUNS} at least, found {runs}")


def save_baseline(
    said: Repetition, *, directories: Sequence[RunDirectory], runs: Path
) -> Repetition:
    """Store the series as the baseline, or say why that was not done."""
    answered = said.share.met + said.share.missed
    if said.ended_early or answered < LEAST_RUNS:
        why = f"{answered} runs have an answer, a baseline needs {LEAST_RUNS}"
        return said.model_copy(update={"not_saved": said.ended_early or why})
    try:
        baseline = Baseline(
            experiment=said.experiment,
            question=question_of(directories[0].experiment()),
            fingerprint=_fingerprint_of(directories),
            saved=datetime.now(UTC).isoformat(timespec="seconds"),
            quorate_version=version(),
            runs=tuple(directory.run_id for directory in directories),
            measured=tuple(_bare(one) for one in said.indicators),
        )
        path = Baselines(runs).save(baseline)
    except StoreError as error:
        return said.model_copy(update={"not_saved": str(error)})
    return said.model_copy(update={"saved_to": str(path)})


def _bare(one: Measured) -> Measured:
    """Without what was concluded from it."""
    return Measured(**{name: getattr(one, name) for name in Measured.model_fields})


def _fingerprint_of(directories: Sequence[RunDirectory]) -> Fingerprint:
    """The one that all runs met. StoreError where there is none, or more than one."""
    if not directories:
        raise StoreError("there is no run to compare")
    first = directories[0].fingerprint()
    for directory in directories:
        found = directory.fingerprint()
        if not found.id:
            lacking = "; ".join(found.missing)
            raise StoreError(f"what the cluster runs is not known as a whole: {lacking}")
        if found.id != first.id:
            differs = "; ".join(changes(first, found))
            raise StoreError(f"the cluster's configuration changed during the series: {differs}")
    return first
