"""A plan that was kept: what is no such file, and what has changed since."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from quorate.harness.errors import RefusedError, SpecError
from quorate.harness.model.fingerprint import Fingerprint
from quorate.harness.run import kept_plan, live, play
from quorate.harness.store.run_directory import ExperimentSource

PRINT = Fingerprint.of({}, {"cp1": {"keepalived advert_int": "1"}})
SOURCE = ExperimentSource("title: t\n", "mine.yaml")


@dataclass
class Planned:
    """As much of a plan as is kept."""

    cluster: str = "paper"
    seed: int = 7
    refusals: tuple[str, ...] = ()
    faults: tuple[Any, ...] = ()
    targets: dict[str, tuple[str, ...]] = field(default_factory=lambda: {"vip-holder": ("cp1",)})


class Looked:
    """What a look finds."""

    def __init__(self) -> None:
        self.planned, self.fingerprint = Planned(), PRINT

    def __call__(self, *_: Any, **__: Any) -> tuple[Any, Fingerprint]:
        return self.planned, self.fingerprint


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> Looked:
    found = Looked()
    monkeypatch.setattr(kept_plan, "_looked", found)
    monkeypatch.setattr(play, "play_source", lambda source, *, options: (source, options.seed))
    return found


@pytest.fixture
def file(looked: Looked, tmp_path: Path) -> Path:
    path = tmp_path / "tonight.plan"
    planned: Any = Planned()
    kept_plan.keep(planned, SOURCE, path=path, options=live.Options())
    return path


def test_what_was_kept_is_played_with_its_own_choices(file: Path) -> None:
    assert file.stat().st_mode & 0o777 == 0o600
    played: Any = kept_plan.play_kept(kept_plan.read(file), options=live.Options())
    source, seed = played
    assert (source.text, source.name, seed) == (SOURCE.text, "mine", 7)


@pytest.mark.parametrize(
    ("planned", "said"),
    [
        (Planned(targets={"vip-holder": ("cp2",)}), "vip-holder cp1 → cp2"),
        (Planned(cluster="other"), "cluster paper → other"),
        (Planned(refusals=("the cluster is not whole",)), "refused now: the cluster is not whole"),
    ],
)
def test_another_plan_is_refused(file: Path, looked: Looked, planned: Planned, said: str) -> None:
    looked.planned = planned
    with pytest.raises(RefusedError, match=said):
        kept_plan.play_kept(kept_plan.read(file), options=live.Options())


def test_another_configuration_is_refused(file: Path, looked: Looked) -> None:
    looked.fingerprint = Fingerprint.of({}, {"cp1": {"keepalived advert_int": "3"}})
    with pytest.raises(RefusedError, match="keepalived advert_int 1 → 3 on cp1"):
        kept_plan.play_kept(kept_plan.read(file), options=live.Options())


def test_what_would_be_refused_is_not_kept(looked: Looked, tmp_path: Path) -> None:
    planned: Any = Planned(refusals=("no",))
    with pytest.raises(RefusedError, match="not written"):
        kept_plan.keep(planned, SOURCE, path=tmp_path / "p", options=live.Options())
    assert not (tmp_path / "p").exists()


def changed(file: Path, **change: object) -> Path:
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    return file


def test_files_that_are_no_plan(file: Path, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="No such file"):
        kept_plan.read(tmp_path / "none")
    with pytest.raises(SpecError, match=r"format 2.*plan it anew"):
        kept_plan.read(changed(file, format=2))
    with pytest.raises(SpecError, match="more: found Extra inputs"):
        kept_plan.read(changed(file, format=1, more=1))
    file.write_text("[1")
    with pytest.raises(SpecError, match="no JSON"):
        kept_plan.read(file)
    file.write_text("[]")
    with pytest.raises(SpecError, match="quorate plan EXPERIMENT --save FILE"):
        kept_plan.read(file)
