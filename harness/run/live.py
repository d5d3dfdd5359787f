"""The one live run of this process: what the control, the activities and the verdict talk to.

chaoslib keeps global state itself and plays one experiment at a time, in the main thread.
"""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from quorate.harness.cluster.file import read_cluster
from quorate.harness.cluster.state import find_cluster
from quorate.harness.errors import RefusedError
from quorate.harness.faults.catalogue import (
    check_arguments,
    known_arrangements,
    known_functions,
)
from quorate.harness.model import each
from quorate.harness.model.experiment import Experiment
from quorate.harness.run.ledger import check_registers
from quorate.harness.run.limits import check_length
from quorate.harness.run.log import RunLog
from quorate.harness.run.opening import Parts, open_run
from quorate.harness.run.outcome import Outcome
from quorate.harness.run.progress import LoggedProgress, Progress
from quorate.harness.run.request import Request
from quorate.harness.run.run import Run
from quorate.harness.run.signals import RunSignals
from quorate.harness.run.surroundings import Surroundings
from quorate.harness.store.bounds_file import GivenBound, read_cluster_bounds, rebound
from quorate.harness.store.experiment_file import Words
from quorate.harness.store.run_directory import ExperimentSource
from quorate.probes.catalogue import check_probes, ways

RUNS_VARIABLE = "QUORATE_RUNS"


def known_words() -> Words:
    """Every word that an experiment may use."""
    return Words(functions=known_functions(), probes=ways(), arrangements=known_arrangements())


@dataclass(frozen=True)
class Options:
    """What the command line says; under `chaos` the environment and defaults speak."""

    cluster: Path | None = None
    runs: Path = field(default_factory=lambda: Path(os.environ.get(RUNS_VARIABLE, "runs")))
    source: ExperimentSource | None = None
    seed: int | None = None
    settings: tuple[GivenBound, ...] = ()
    place: int = 0
    follows: bool = False
    planned: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """As in Request."""
    progress: Progress = field(default_factory=LoggedProgress)
    parts: Parts = field(default_factory=Parts)


@dataclass
class _Live:
    options: Options | None = None
    run: Run | None = None
    signals: RunSignals = field(default_factory=RunSignals)
    log: RunLog = field(default_factory=RunLog)
    surroundings: Surroundings = field(default_factory=Surroundings)


_live = _Live()


def prepare(options: Options) -> None:
    """What the next run of this process is to be played with."""
    _live.options = options


def given_bounds(options: Options) -> tuple[GivenBound, ...]:
    """Bounds in place of the experiments' own: the cluster's, then the command's; SpecError."""
    return (*read_cluster_bounds(find_cluster(options.cluster)), *options.settings)


def begin(document: Mapping[str, Any]) -> Run:
    """Open the live run for an experiment handed over by the engine. Raises our own errors."""
    if _live.run is not None:
        raise RefusedError("a run is live in this process already")
    options, _live.options = _live.options or Options(), None
    if document.get("dry") is not None:
        raise RefusedError("a dry run breaks nothing and measures nothing: it has no verdict")
    document = _plain(document)
    source = options.source or ExperimentSource.dump(document, file=_file_of_engine())
    spread, experiment = on_cluster(document, checked(document), cluster=options.cluster)
    if spread is not document:
        source = ExperimentSource.dump(spread, file=source.file)
    seed = secrets.randbelow(2**31) if options.seed is None else options.seed
    request = Request(
        experiment=rebound(experiment, name=source.name, given=given_bounds(options)),
        source=source,
        cluster=read_cluster(find_cluster(options.cluster)).with_node_port(seed=seed),
        runs=options.runs,
        seed=seed,
        place=options.place,
        follows=options.follows,
        planned=options.planned,
    )
    _live.signals.install()
    _live.run = open_run(request, parts=options.parts, progress=options.progress)
    _live.log.open(_live.run.directory.path)
    _live.surroundings.enter(request.cluster.kubeconfig)
    _tell_bounds(request.experiment, options.progress)
    _live.run.look_around()
    return _live.run


def on_cluster(
    document: Mapping[str, Any], experiment: Experiment, *, cluster: Path | None
) -> tuple[Mapping[str, Any], Experiment]:
    """A checked experiment as it is played there: with a line for each API server where it says
    ``apiserver:each`` (else the same document). SpecError."""
    if not each.is_meant(experiment):
        return document, experiment
    planes = read_cluster(find_cluster(cluster)).control_planes
    spread = each.spread(document, nodes=[node.name for node in planes])
    return spread, checked(spread)


def checked(document: Mapping[str, Any]) -> Experiment:
    """What a document says, with all that can be checked without a cluster. SpecError."""
    words = known_words()
    experiment = Experiment.from_mapping(
        document,
        known_functions=words.functions,
        known_probes=words.probes,
        known_arrangements=words.arrangements,
    )
    check_alone(experiment)
    return experiment


def check_alone(experiment: Experiment) -> None:
    """All that its model does not know and that no cluster is needed for. SpecError."""
    check_arguments(experiment)
    check_length(experiment)
    check_registers(experiment)
    check_probes(experiment)


def _tell_bounds(experiment: Experiment, progress: Progress) -> None:
    for index, name in enumerate(experiment.bound_names):
        *others, (source, at_most) = experiment.bounds(index).items()
        if others:
            told = ", ".join(f"{other}: {bound:g}" for other, bound in others)
            progress.say(f"bound {name}: at most {at_most:g} by {source} ({told})")


def current() -> Run:
    """The live run. RefusedError when there is none, or from a thread beside the main one."""
    if _live.run is None:
        raise RefusedError(
            "no run of quorate is live: the experiment's control (module quorate.control) did not "
            "open one; is it declared, and spelled like this?"
        )
    if threading.current_thread() is not threading.main_thread():
        raise RefusedError("a run is steered from the main thread only (no background activities)")
    return _live.run


def note(text: str) -> None:
    """Something for the reader of the run's report; nothing where no run is live."""
    if _live.run is not None:
        _live.run.directory.append_event("data_note", text=text)


def end(why: str) -> Outcome | None:
    """Close and judge the live run, if there is one, and forget it.

    `why`: how the engine says that the experiment ended, noted where no verdict was asked.
    """
    _live.signals.closing()
    run, _live.run, _live.options = _live.run, None, None
    try:
        if run is None:
            return None
        if run.stage != "closed":
            run.interrupted(why)
            run.close()
        return run.conclude()[0]
    finally:
        _live.surroundings.leave()
        _live.log.close()
        _live.signals.restore()


def _file_of_engine() -> str:
    """The experiment's file under `chaos run`, which hands over what is in it, but not its name.

    It names the section in objectives.yaml; the engine's command line knows it.
    """
    context = click.get_current_context(silent=True)
    return str(context.params.get("source") or "") if context is not None else ""


def _plain(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document without what the engine added."""
    return {key: value for key, value in document.items() if key != "dry"}
