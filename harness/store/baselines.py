"""Stored baselines: ``RUNS/baselines/``, one file for each experiment on each cluster as it was.

They lie with the runs that they were measured in, since a baseline is worth what its runs are: who
keeps the ones keeps the others, and the folder of a cluster.yaml may be nobody's to write to. One
that is not wanted any more is a file to remove.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from quorate.harness.errors import StoreError
from quorate.harness.model.experiment import Experiment
from quorate.harness.model.repetition import Baseline
from quorate.harness.store.run_directory import ExperimentSource, replace_text

FOLDER = "baselines"

DECIDING = {"given", "method", "baseline_s", "probes", "objectives", "abort_when"}
"""Fields of an experiment that its numbers come from."""

WITHIN = {"name", "at_most"}
"""What in them changes no number: the words of a step, and the bounds."""


def question_of(experiment: Experiment) -> str:
    """Digest of what decides the numbers of an experiment: two with the same may be compared."""
    given = experiment.model_dump(mode="json", include=DECIDING)
    text = json.dumps(_deciding(given), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _deciding(value: object) -> object:
    if isinstance(value, dict):
        return {key: _deciding(one) for key, one in value.items() if key not in WITHIN}
    return [_deciding(one) for one in value] if isinstance(value, list) else value


class Baselines:
    """Those of one runs directory."""

    def __init__(self, runs: Path) -> None:
        self._folder = runs.absolute() / FOLDER

    def path_for(self, experiment: str, *, question: str, fingerprint: str) -> Path:
        """Where the baseline of an experiment's file on a cluster with this fingerprint lies."""
        stem = ExperimentSource("", experiment).stem
        return self._folder / f"{stem}-{question}-{fingerprint}.json"

    def find(self, *, question: str, fingerprint: str) -> tuple[Path, Baseline] | None:
        """The one for this question and cluster, whatever the experiment's file was called."""
        found = (one for one in self._of(question) if one[1].fingerprint.id == fingerprint)
        return max(found, key=lambda one: one[1].saved, default=None)

    def newest(self, *, question: str) -> Baseline | None:
        """The last one that was saved for this question, on whatever cluster."""
        found = (baseline for _, baseline in self._of(question))
        return max(found, key=lambda one: one.saved, default=None)

    def save(self, baseline: Baseline) -> Path:
        """Write it in place of the one before. StoreError."""
        path = self.path_for(
            baseline.experiment, question=baseline.question, fingerprint=baseline.fingerprint.id
        )
        text = json.dumps(baseline.model_dump(mode="json"), indent=2, sort_keys=True) + "\n"
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            replace_text(path, text)
        except OSError as error:
            raise StoreError(f"{path}: cannot be written: {error}") from error
        return path

    def _of(self, question: str) -> Iterator[tuple[Path, Baseline]]:
        for path in sorted(self._folder.glob(f"*-{question}-*.json")):
            try:
                yield path, Baseline.model_validate_json(path.read_text(encoding="utf-8"))
            except (OSError, ValueError) as error:
                said = str(error).splitlines()[0]
                raise StoreError(f"{path}: no baseline of this quorate: {said}") from None
