"""objectives.yaml and --set: read strictly, and told where a mistake stands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from quorate.harness.errors import SpecError, StoreError
from quorate.harness.model.experiment import Experiment
from quorate.harness.store.bounds_file import (
    GivenBound,
    read_cluster_bounds,
    read_setting,
    rebound,
    refuse_unused,
)
from quorate.harness.store.experiment_file import parse_experiment
from quorate.harness.store.run_directory import ExperimentSource, RunDirectory

FILE = """\
format: 1
at_most:
  vip_drop_holder:
    longest_outage_s:api: 8     # adverts come every 3 s here
    abort_when: 60
  worker_drain:
    time_to_drained_s: 300
"""


@pytest.fixture
def experiment(text: str) -> Experiment:
    return parse_experiment(text, file="vip_drop_holder.yaml")


def of_cluster(folder: Path, text: str = FILE) -> tuple[GivenBound, ...]:
    (folder / "objectives.yaml").write_text(text)
    return read_cluster_bounds(folder / "cluster.yaml")


def test_a_cluster_without_the_file_has_no_bounds_of_its_own(tmp_path: Path) -> None:
    assert read_cluster_bounds(tmp_path / "cluster.yaml") == ()


def test_the_section_of_an_experiment_is_meant_for_it_alone(
    tmp_path: Path, experiment: Experiment
) -> None:
    given = of_cluster(tmp_path)
    changed = rebound(experiment, name="vip_drop_holder", given=given)
    assert [one.at_most for one in changed.bounded] == [8, 0, 120, 60]
    assert changed.bounds(0) == {"experiment": 5.0, "objectives.yaml": 8.0}
    assert rebound(experiment, name="another", given=given) == experiment


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "found", "allowed"),
    [
        ("format: 1", "format: 2", 1, "format", "2", "1"),
        ("at_most:", "bounds:", 2, "bounds", "bounds", "format, at_most"),
        ("abort_when: 60", "abort_when: sixty", 5, "vip_drop_holder.abort_when", "sixty", "number"),
        ("abort_when: 60", "abort_when: true", 5, "abort_when", "True", "number"),
        ("abort_when: 60", "abort_when: .inf", 5, "abort_when", "inf", "finite"),
        ("abort_when: 60", "abort_when: -1", 5, "abort_when", "-1", "greater than or equal"),
        ("abort_when: 60", "abort_if: 60", 5, "abort_if", "abort_if", "outages"),
        ("abort_when: 60", "longest_outage_s:api: 9", 5, "api", "a second time", "it once"),
        ("time_to_drained_s: 300", "drained: 300", 7, "drained", "drained", "abort_when"),
        ("worker_drain:", '"":', 6, "at_most", "''", "1 character"),
        ("    abort_when: 60", "  abort_when: 60", 5, "at_most.abort_when", "60", "dictionary"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line(
    tmp_path: Path, old: str, new: str, line: int, field: str, found: str, allowed: str
) -> None:
    assert old in FILE
    with pytest.raises(SpecError) as caught:
        of_cluster(tmp_path, FILE.replace(old, new))
    error = caught.value
    assert str(error).startswith(f"{tmp_path / 'objectives.yaml'}:{line}: ")
    assert field in error.field
    assert found in error.found
    assert allowed in str(error.allowed)


@pytest.mark.parametrize(
    ("old", "new", "found", "allowed"),
    [
        ("longest_outage_s:api: 8", "longest_outage_s:apo: 8", "none that", "time_to_whole_s:undo"),
        ("longest_outage_s:api: 8", "longest_outage_s: 0.01", "0.01 at 20 Hz", "1 period"),
        ("abort_when: 60", "longest_outage_s: 60", "a second time", "it once"),
        ("abort_when: 60", "time_to_drained_s: 60", "none that", "abort_when:api"),
    ],
)
def test_a_section_of_the_experiment_that_is_played_must_fit_it(
    tmp_path: Path, experiment: Experiment, old: str, new: str, found: str, allowed: str
) -> None:
    given = of_cluster(tmp_path, FILE.replace(old, new))
    with pytest.raises(SpecError) as caught:
        rebound(experiment, name="vip_drop_holder", given=given)
    assert caught.value.line == (4 if old.startswith("longest") else 5)
    assert found in caught.value.found
    assert allowed in str(caught.value.allowed)
    rebound(experiment, name="another", given=given)


@pytest.mark.parametrize("text", ["[]", "at_most: {a: [1]}", "a: [", "just words", ""])
def test_what_is_no_such_file_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(SpecError, match=r"objectives\.yaml"):
        of_cluster(tmp_path, text)


def test_a_setting_outranks_the_cluster(tmp_path: Path, experiment: Experiment) -> None:
    given = (*of_cluster(tmp_path), read_setting("longest_outage_s=6.5"))
    changed = rebound(experiment, name="vip_drop_holder", given=given)
    assert changed.objectives[0].at_most == 6.5
    assert list(changed.bounds(0)) == ["experiment", "objectives.yaml", "--set"]


@pytest.mark.parametrize("text", ["", "x", "abort_when", "=5", "abort_when=", "abort_when=a",
                                  "abort_when=-1", "abort_when=inf", "x/=5"])  # fmt: skip
def test_what_is_no_setting_is_refused(text: str) -> None:
    with pytest.raises(SpecError, match="EXPERIMENT/]BOUND=NUMBER"):
        read_setting(text)


def test_an_unknown_indicator_is_refused_at_once() -> None:
    with pytest.raises(SpecError) as caught:
        read_setting("longest_outage:api=8")
    assert str(caught.value).startswith("--set longest_outage:api=8: found 'longest_outage', ")


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        (
            "vip_drop_holdr/abort_when=9",
            "the experiment 'vip_drop_holdr', allowed: vip_drop_holder",
        ),
        ("longest_outage_s:web=9", "a bound that no experiment has, allowed: longest_outage_s:api"),
        ("time_to_drained_s=9", "a bound that no experiment has, allowed: longest_outage_s:api"),
    ],
)
def test_a_setting_that_fits_nothing_is_refused(
    experiment: Experiment, setting: str, message: str
) -> None:
    with pytest.raises(SpecError) as caught:
        refuse_unused([read_setting(setting)], played={"vip_drop_holder": experiment})
    assert str(caught.value).startswith(f"--set {setting}: found {message}")


def test_a_setting_without_a_name_is_for_those_that_have_such_a_bound(
    experiment: Experiment, text: str
) -> None:
    other = parse_experiment(text.replace("      api: ", "      web: ").replace(
        "of: api,", "of: web,").replace("[api, ", "[web, "), file="other.yaml")  # fmt: skip
    played = {"vip_drop_holder": experiment, "other": other}
    setting = [read_setting("longest_outage_s:web=9")]
    refuse_unused(setting, played=played)
    assert rebound(experiment, name="vip_drop_holder", given=setting) == experiment
    assert rebound(other, name="other", given=setting).objectives[0].at_most == 9
    named = [read_setting("vip_drop_holder/longest_outage_s:web=9")]
    refuse_unused(named, played=played)
    with pytest.raises(SpecError, match="none that is named so"):
        rebound(experiment, name="vip_drop_holder", given=named)


def test_a_run_keeps_the_bounds_that_it_was_judged_by(
    tmp_path: Path, experiment: Experiment, text: str
) -> None:
    given = (*of_cluster(tmp_path), read_setting("abort_when=50"))
    changed = rebound(experiment, name="vip_drop_holder", given=given)
    run = RunDirectory.create(
        tmp_path / "runs",
        experiment=changed,
        source=ExperimentSource(text, "vip_drop_holder.yaml"),
        cluster_name="lab",
        seed=7,
    )
    (tmp_path / "objectives.yaml").unlink()
    assert (run.path / "experiment.yaml").read_text() == text, "verbatim"
    assert run.experiment() == changed
    assert RunDirectory.open(run.path).experiment() == changed
    identity = json.loads((run.path / "run.json").read_text())
    assert [one["source"] for one in identity["bounds"]] == ["objectives.yaml"] * 2 + ["--set"]
    run.write_json("run.json", {**identity, "bounds": [{"bound": "x"}]})
    with pytest.raises(StoreError, match="bounds are damaged"):
        RunDirectory.open(run.path)
    run.write_json("run.json", {key: identity[key] for key in identity if key != "bounds"})
    assert RunDirectory.open(run.path).experiment() == experiment, "a run of before"
