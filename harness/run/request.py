"""What a run is asked to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from quorate.harness.model.cluster import Cluster
from quorate.harness.model.experiment import Experiment
from quorate.harness.store.run_directory import ExperimentSource


@dataclass(frozen=True)
class Request:
    """An experiment, the cluster to play it on, where its record goes, and the seed of chance.

    ``place``: the how-manieth run of a series this is, from 1; 0 where it stands alone.
    ``follows``: another run has just ended, and the cluster may not be whole yet.
    ``planned``: target word → the only nodes that it may stand for when the first fault is put on.
    """

    experiment: Experiment
    source: ExperimentSource
    cluster: Cluster
    runs: Path
    seed: int
    place: int = 0
    follows: bool = False
    planned: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
