"""A plan that was kept: what is no such file, and what has changed since."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from quorate.harness import cli
from quorate.harness.errors import RefusedError, SpecError, StoreError
from quorate.harness.model.fingerprint import Fingerprint
from quorate.harness.model.plan_file import PlanFile, differences
from quorate.harness.run import kept_plan, live, play
from quorate.harness.run import plan as planning
from quorate.harness.run.opening import Parts
from quorate.harness.run.plan import RunPlan, plan_source
from quorate.harness.store.run_directory import ExperimentSource
from quorate.harness.transport import Reply
from tests import paper_lab

SHIPPED = Path(__file__).parents[3] / "experiments" / "vip_drop_holder.yaml"
PRINT = Fingerprint.of({}, {"cp1": {"keepalived advert_int": "1"}})


@pytest.fixture
def nodes() -> paper_lab.PaperNodes:
    """The machines of the cluster on paper."""
    return paper_lab.transport()


@pytest.fixture
def options(
    nodes: paper_lab.PaperNodes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> live.Options:
    for module in (planning, live):
        monkeypatch.setattr(module, "find_cluster", lambda path: tmp_path / "cluster.yaml")
    monkeypatch.setattr(planning, "read_cluster", lambda path: paper_lab.cluster())
    parts = Parts(
        state_dir=tmp_path / "state",
        enter=lambda cluster: None,
        connect=lambda cluster: paper_lab.drivers(nodes=nodes),
    )
    played = lambda source, *, options: (source, options)  # noqa: E731
    monkeypatch.setattr(play, "play_source", played)
    return live.Options(seed=7, parts=parts)


@pytest.fixture
def source(tmp_path: Path) -> ExperimentSource:
    path = tmp_path / "mine.v2.yaml"
    path.write_text(SHIPPED.read_text())
    return ExperimentSource.read(path)


@pytest.fixture
def planned(options: live.Options, source: ExperimentSource) -> RunPlan:
    return plan_source(source, options=options)


@pytest.fixture
def file(planned: RunPlan, source: ExperimentSource, tmp_path: Path) -> Path:
    path = tmp_path / "tonight.plan"
    kept_plan.keep(planned, source, path=path)
    return path


def changed(file: Path, **change: object) -> Path:
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    return file


def test_what_was_kept_is_played_with_its_own_choices(
    file: Path, options: live.Options, source: ExperimentSource
) -> None:
    assert file.stat().st_mode & 0o777 == 0o600
    Path(source.file).unlink()
    drawn_anew = replace(options, seed=None)
    played: Any = kept_plan.play_kept(kept_plan.read(file), options=drawn_anew)
    text, with_options = played
    assert (text.text, text.name) == (source.text, source.name)
    assert (with_options.seed, with_options.planned) == (7, {"vip-holder": ("cp1",)})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"quorate": "0"}, "quorate 0 → "),
        ({"cluster": "other"}, "cluster other → "),
        (
            {"bounds": {"longest_outage_s:api:fault:1s": 9}},
            "bound longest_outage_s:api:fault:1s: 9 → 5",
        ),
        ({"bounds": {}}, "bound longest_outage_s:api:fault:1s: none → 5"),
        ({"targets": {"vip-holder": []}}, "vip-holder nobody → cp1"),
        ({"undos": []}, "also undone now: harness: power cp1 on"),
        ({"undos": ["cp1: x"]}, "not undone any more: cp1: x"),
        ({"fingerprint": PRINT}, "keepalived advert_int 1 taken out on cp1"),
    ],
)
def test_what_differs_is_named(
    file: Path, options: live.Options, change: dict[str, object], said: str
) -> None:
    other = kept_plan.read(file).model_copy(update=change)
    with pytest.raises(RefusedError) as refused:
        kept_plan.play_kept(other, options=options)
    assert said in str(refused.value)


def test_a_cluster_that_changed_is_refused(
    file: Path, options: live.Options, nodes: paper_lab.PaperNodes
) -> None:
    nodes.on("ip", reply=Reply("[]"), node="cp1")
    nodes.on("ip", reply=Reply('[{"addr_info": [{"local": "10.77.0.100"}]}]'), node="cp2")
    with pytest.raises(RefusedError, match="vip-holder cp1 → cp2") as refused:
        kept_plan.play_kept(kept_plan.read(file), options=options)
    assert "undone" not in str(refused.value), "another target has another undo, of course"


def test_a_run_that_would_be_refused_is(
    file: Path, options: live.Options, nodes: paper_lab.PaperNodes
) -> None:
    nodes.on("curl", reply=Reply(returncode=7), node="cp3")
    with pytest.raises(RefusedError, match="refused now: the cluster is not whole"):
        kept_plan.play_kept(kept_plan.read(file), options=options)


def test_bounds_of_the_cluster_are_the_plans_too(
    file: Path, options: live.Options, tmp_path: Path
) -> None:
    """They hold in a run, and whoever agreed to the plan agreed to others."""
    bounds = {"format": 1, "at_most": {"mine.v2": {"longest_outage_s": 30}}}
    (tmp_path / "objectives.yaml").write_text(json.dumps(bounds))
    with pytest.raises(RefusedError, match="bound longest_outage_s:api:fault:1s: 5 → 30"):
        kept_plan.play_kept(kept_plan.read(file), options=options)


def test_nothing_differs_from_itself(file: Path) -> None:
    kept = kept_plan.read(file)
    assert differences(kept, kept) == ()


def test_what_cannot_be_read_may_have_changed(file: Path) -> None:
    kept = kept_plan.read(file)
    blind = kept.model_copy(
        update={"fingerprint": Fingerprint.of({}, {}, missing=("files of cp2",))}
    )
    assert differences(kept, blind) == ("what the cluster runs is not known: files of cp2",)


def test_what_is_no_plan_is_not_kept(
    planned: RunPlan, source: ExperimentSource, tmp_path: Path
) -> None:
    path, blind = tmp_path / "p", Fingerprint.of({}, {}, missing=("files of cp2",))
    with pytest.raises(RefusedError, match="refused now"):
        kept_plan.keep(replace(planned, refusals=("no",)), source, path=path)
    with pytest.raises(RefusedError, match="files of cp2"):
        kept_plan.keep(replace(planned, fingerprint=blind), source, path=path)
    assert not path.exists()
    with pytest.raises(StoreError, match="No such file"):
        kept_plan.keep(planned, source, path=tmp_path / "none" / "p")


def test_files_that_are_no_plan(file: Path, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="No such file"):
        kept_plan.read(tmp_path / "none")
    with pytest.raises(SpecError, match=r"format 2.*plan it anew"):
        kept_plan.read(changed(file, format=2))
    with pytest.raises(SpecError, match="more: found Extra inputs"):
        kept_plan.read(changed(file, format=1, more=1))
    for text, said in (("[1", "no JSON"), ("[]", "--save FILE"), ('{"a": 1}', "format: found")):
        file.write_text(text)
        with pytest.raises(SpecError, match=said):
            kept_plan.read(file)
    for broken in (b"\xff\xfe", b"[" * 100_000):
        file.write_bytes(broken)
        with pytest.raises(SpecError, match="no JSON"):
            kept_plan.read(file)


@pytest.mark.parametrize("field", sorted(set(PlanFile.model_fields) - {"format"}))
def test_an_edited_file_is_none(file: Path, field: str) -> None:
    said = json.loads(file.read_text())[field]
    other: dict[type, Any] = {
        str: f"{said} ",
        int: 8,
        list: [],
        dict: {},
    }
    value = said | {"id": "x"} if field == "fingerprint" else other[type(said)]
    with pytest.raises(SpecError, match="edited since"):
        kept_plan.read(changed(file, **{field: value}))


@pytest.mark.parametrize(
    "more",
    [
        ["vip_drop_holder"],
        ["--seed", "0"],
        ["--set", "abort_when=9"],
        ["--repeat", "2"],
        ["--save-baseline"],
    ],
)
def test_a_plan_is_played_as_it_is(
    file: Path, more: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(["run", "--plan", str(file), *more])
    assert end.value.code == 2
    assert "--plan FILE" in capsys.readouterr().err
