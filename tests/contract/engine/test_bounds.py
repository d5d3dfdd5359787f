"""Bounds of a cluster hold under both engines, and a verdict is judged again by what it kept."""

from __future__ import annotations

from collections.abc import Callable

from tests.contract.engine.conftest import ENGINES, FakeCluster, played_by

Make = Callable[..., str]
NAME = "controls/nothing_happens"
BOUNDS = "format: 1\nat_most:\n  nothing_happens:\n    bad_samples:fault: 3\n"


@played_by(ENGINES)
def test_objectives_beside_the_cluster_are_judged(
    cluster: FakeCluster, experiment: Make, engine: str
) -> None:
    bounds = cluster.world / "objectives.yaml"
    bounds.write_text(BOUNDS)
    played = cluster.play(engine, "run", experiment(NAME))
    assert played.exit_code == 0, played.output
    baseline, fault = played.verdict["objectives"]
    assert (baseline["bound"], baseline["judged_by"]) == (0, "experiment")
    assert (fault["bound"], fault["judged_by"]) == (3, "objectives.yaml")
    assert fault["bounds"] == {"experiment": 0, "objectives.yaml": 3}
    bounds.unlink()
    file = played.directory / "verdict.json"
    before = file.read_bytes()
    assert cluster.play("quorate", "judge", str(played.directory)).exit_code == 0
    assert file.read_bytes() == before


@played_by(ENGINES)
def test_bounds_that_fit_nothing_break_nothing(
    cluster: FakeCluster, experiment: Make, engine: str
) -> None:
    bounds = cluster.world / "objectives.yaml"
    bounds.write_text(BOUNDS.replace("fault", "return"))
    played = cluster.play(engine, "run", experiment(NAME))
    assert played.exit_code == (2 if engine == "quorate" else 1), played.output
    assert f"{bounds}:4: at_most.nothing_happens.bad_samples:return: found none" in played.output
    assert not list(played.runs.glob("*")), "no run was opened"


def test_a_setting_outranks_the_cluster(cluster: FakeCluster, experiment: Make) -> None:
    (cluster.world / "objectives.yaml").write_text(BOUNDS)
    setting = ("--set", "nothing_happens/bad_samples:fault=7")
    played = cluster.play("quorate", "run", experiment(NAME), *setting)
    assert played.exit_code == 0, played.output
    fault = played.verdict["objectives"][1]
    assert fault["bounds"] == {"experiment": 0, "objectives.yaml": 3, "--set": 7}
    assert fault["judged_by"] == "--set"
    assert "at most 7 samples (by --set; experiment: 0 samples, objectives.yaml: 3" in played.output
