"""A long run fits into memory and is read in whole batches; bench_judge.py takes the time."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from quorate.harness.judge import judge
from quorate.harness.model.timeline import SampleSeries
from quorate.harness.store import reading
from quorate.harness.store.run_directory import RunDirectory
from tests.bench_judge import PROBES, SAMPLES, make_run

BYTES_MAX = 250e6
"""Of 300 MB, the interpreter and its libraries take some 50."""

FEW, MORE = 16_000, 32_000


@pytest.fixture
def make(tmp_path: Path) -> Callable[[int], RunDirectory]:
    def made(samples: int) -> RunDirectory:
        return RunDirectory.open(make_run(tmp_path / str(samples), samples=samples))

    return made


def peak_bytes(run: RunDirectory) -> int:
    experiment = run.experiment()
    tracemalloc.start()
    try:
        judge(experiment, run.timeline())
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_million_samples_fit_into_memory(make: Callable[[int], RunDirectory]) -> None:
    few, more = peak_bytes(make(FEW)), peak_bytes(make(MORE))
    per_sample = (more - few) / (MORE - FEW)
    assert 0 < per_sample * SAMPLES < BYTES_MAX
    assert few + per_sample * (SAMPLES - FEW) < BYTES_MAX


def test_a_sample_is_33_bytes(make: Callable[[int], RunDirectory]) -> None:
    series = make(FEW).timeline().series["p0"]
    columns = (series.k, series.due, series.end, series.detail, series.peer)
    assert sum(column.itemsize for column in columns) + 1 == 33
    assert {len(column) for column in columns} == {len(series.outcome)} == {FEW // PROBES}
    assert len(series.texts) < 10, "texts that stand again and again are kept once"
    assert isinstance(series, SampleSeries)


def test_lines_are_parsed_by_the_thousand(
    make: Callable[[int], RunDirectory], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One call of the JSON parser a line would take twice as long."""
    calls: list[int] = []
    parse = reading._parse

    def counted(batch: list[bytes], *, file: Path, number: int) -> list[object]:
        calls.append(len(batch))
        return parse(batch, file=file, number=number)

    monkeypatch.setattr(reading, "_parse", counted)
    run = make(FEW)
    lines = sum(len(file.read_bytes().splitlines()) for file in run.path.rglob("*.jsonl"))
    run.timeline()
    assert sum(calls) == lines
    assert len(calls) <= PROBES + 2 + lines / 1000
