"""The shipped experiment's text, and a run made of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from quorate.harness.store.experiment_file import read_experiment
from quorate.harness.store.run_directory import ExperimentSource, RunDirectory

EXPERIMENT = Path(__file__).parents[3] / "experiments" / "vip_drop_holder.yaml"


@pytest.fixture
def text() -> str:
    return EXPERIMENT.read_text()


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return RunDirectory.create(
        tmp_path / "runs",
        experiment=read_experiment(EXPERIMENT),
        source=ExperimentSource.read(EXPERIMENT),
        cluster_name="lab",
        seed=7,
    )
