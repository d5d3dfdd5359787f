"""Playing an experiment file through the Chaos Toolkit engine: what `quorate run` does."""

from __future__ import annotations

import copy
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from quorate.harness.errors import QuorateError, SpecError
from quorate.harness.model.experiment import Experiment
from quorate.harness.run import live, shipped
from quorate.harness.run.outcome import Outcome
from quorate.harness.store.bounds_file import rebound, refuse_unused
from quorate.harness.store.experiment_file import check_experiment
from quorate.harness.store.run_directory import ExperimentSource
from quorate.harness.store.yaml_lines import located, parse_yaml

SETTINGS = {
    # In-process, chaoslib ignores the experiment's `runtime` and takes it from the settings.
    "runtime": {"rollbacks": {"strategy": "always"}, "hypothesis": {"strategy": "default"}}
}
ENGINE_BROKEN = 3


def check(files: Sequence[Path], *, options: live.Options) -> None:
    """Read all that is to be played, and the bounds in place of its own; SpecError.

    To be called first: a mistake in the last file is told before the first one breaks things.
    """
    played = [(file.stem, read_as_played(read_source(file), options=options)) for file in files]
    refuse_unused(options.settings, played=dict(played))
    given = live.given_bounds(options)
    for name, experiment in played:
        rebound(experiment, name=name, given=given)


def read_document(source: ExperimentSource) -> dict[str, Any]:
    """The checked document. SpecError with file and line for the first mistake."""
    return _read(source)[0]


def read_experiment(source: ExperimentSource) -> Experiment:
    """The checked experiment. SpecError likewise."""
    return _read(source)[1]


def read_as_played(source: ExperimentSource, *, options: live.Options) -> Experiment:
    """The same with a line for each API server of the cluster where it says apiserver:each."""
    return live.on_cluster(*_read(source), cluster=options.cluster)[1]


def _read(source: ExperimentSource) -> tuple[dict[str, Any], Experiment]:
    document, lines = parse_yaml(source.text, file=source.file)
    words = live.known_words()
    experiment = check_experiment(document, lines, file=source.file, words=words)
    with located(source.file, lines=lines):
        live.check_alone(experiment)
    return document, experiment


def read_source(path: Path) -> ExperimentSource:
    """The file's text; where there is none, that of the shipped experiment that is named so.

    SpecError when it cannot be read.
    """
    try:
        return ExperimentSource.read(_named(path))
    except OSError as error:
        found = error.strerror or str(error)
        allowed = "a readable file, or the name of an experiment that comes with quorate"
        raise SpecError(path, field="", found=found, allowed=allowed) from None
    except UnicodeDecodeError:
        raise SpecError(path, field="", found="bytes that are no UTF-8", allowed="text") from None


def _named(path: Path) -> Path:
    known = not path.suffix and not path.exists() and str(path) in shipped.names()
    return shipped.find(str(path)) if known else path


def play(path: Path, *, options: live.Options) -> Outcome:
    """Run one experiment file. Raises SpecError before anything is asked of a cluster."""
    return play_source(read_source(path), options=options)


def play_source(source: ExperimentSource, *, options: live.Options) -> Outcome:
    """The same with a text that was read before; it may be played several times."""
    document = read_document(source)
    live.prepare(replace(options, source=source))
    try:
        return outcome_of(run_engine(document))
    finally:
        # The control has done it, unless something tore the engine that it does not take for an
        # error (a test's time limit): this process may go on to live, and no guardian would come.
        live.end("something other than the experiment ended the engine")


def run_engine(document: dict[str, Any]) -> Mapping[str, Any]:
    """chaoslib's journal. The engine's own words go to our log, not to the screen."""
    from chaoslib.exceptions import ChaosException
    from chaoslib.experiment import ensure_experiment_is_valid, run_experiment

    _quiet()
    try:
        ensure_experiment_is_valid(document)
        journal: Mapping[str, Any] = run_experiment(document, settings=copy.deepcopy(SETTINGS))
    except ChaosException as error:
        raise QuorateError(f"the Chaos Toolkit engine refused the experiment: {error}") from error
    return journal


def outcome_of(journal: Mapping[str, Any]) -> Outcome:
    """What our control wrote into the journal; a failure where it wrote nothing."""
    ours = journal.get("quorate")
    if not isinstance(ours, Mapping):
        return Outcome(
            ENGINE_BROKEN,
            reason=f"the engine ended ({journal.get('status')}) without our control's result",
            error="Exception",
        )
    return Outcome.from_dict(ours)


def _quiet() -> None:
    logger = logging.getLogger("chaostoolkit")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
        logger.propagate = False
