"""Holding a game-day from the command line: one at a time, kept, told, in its window."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from quorate.harness import cli
from quorate.harness.cluster.file import write_cluster
from quorate.harness.cluster.lock import ClusterLock
from quorate.harness.model.cluster import Cluster
from quorate.harness.model.verdict import State
from quorate.harness.run.live import Options
from quorate.harness.run.outcome import Outcome
from quorate.harness.run.webhook import Webhook

MET, MISSED = Outcome(0, State.MET), Outcome(1, State.MISSED)


@dataclass
class Scene:
    root: Path
    steps: Iterator[Outcome | int] = field(default_factory=lambda: iter(()))
    options: list[Options] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def play(self, file: Path, *, options: Options) -> Outcome:
        self.options.append(options)
        options.progress.status("baseline")
        step = next(self.steps)
        if isinstance(step, Outcome):
            return step
        signal.raise_signal(step)
        raise AssertionError("the signal was not heeded")

    def __call__(self, *arguments: str, comes_to: tuple[Outcome | int, ...] = (MET, MISSED)) -> int:
        self.steps = iter(comes_to)
        with pytest.raises(SystemExit) as end:
            cli.main(["gameday", str(self.root / "core.yaml"), *arguments])
        assert isinstance(end.value.code, int)
        return end.value.code

    @property
    def summaries(self) -> list[dict[str, object]]:
        files = sorted((self.root / "runs").glob("gameday-*/summary.json"))
        return [json.loads(file.read_text()) for file in files]


@pytest.fixture
def scene(tmp_path: Path, root: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Scene:
    made = Scene(tmp_path)
    for name in ("vip_drop_holder", "pod_kill"):
        shutil.copy(root / "experiments" / f"{name}.yaml", tmp_path)
    (tmp_path / "core.yaml").write_text(
        "format: 1\ntitle: Core\nexperiments:\n"
        "  - {file: vip_drop_holder.yaml, expect: MET}\n  - {file: pod_kill.yaml, expect: MISSED}\n"
    )
    write_cluster(cluster, tmp_path / "cluster.yaml")
    monkeypatch.setenv("QUORATE_CLUSTER", str(tmp_path / "cluster.yaml"))
    monkeypatch.setenv("QUORATE_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("QUORATE_RUNS", str(tmp_path / "runs"))
    monkeypatch.delenv("QUORATE_WEBHOOK", raising=False)
    monkeypatch.setattr("quorate.harness.run.play.play", made.play)
    monkeypatch.setattr(Webhook, "tell", lambda self, text: made.told.append(text))
    return made


def test_a_game_day_ends_in_a_summary(scene: Scene, capfd: pytest.CaptureFixture[str]) -> None:
    assert scene() == 0
    (summary,) = scene.summaries
    assert (summary["state"], summary["suite"], summary["cluster"]) == ("finished", "core", "paper")
    told = capfd.readouterr()
    assert "Core: 2 of 2 as expected" in told.out
    assert "summary: " in told.out


def test_after_the_first_the_cluster_is_given_time_to_become_whole(scene: Scene) -> None:
    scene()
    assert [one.follows for one in scene.options] == [False, True]


def test_the_live_line_says_which_experiment_it_is(
    scene: Scene, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("quorate.harness.run.progress.TextProgress.say", lambda self, text: None)
    scene()
    assert "1/2 · baseline" in capfd.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_is_an_interruption_that_can_be_resumed(scene: Scene, number: int) -> None:
    assert scene(comes_to=(MET, number)) == 3
    assert scene.summaries[0]["state"] == "interrupted"
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL, "handlers are as they were"
    assert scene("--resume", comes_to=(MISSED,)) == 0
    (summary,) = scene.summaries
    assert summary["state"] == "finished"


def test_there_must_be_something_to_resume(scene: Scene) -> None:
    assert scene("--resume") == 2
    assert scene.options == []


def test_only_one_at_a_time(scene: Scene, capfd: pytest.CaptureFixture[str]) -> None:
    with ClusterLock(scene.root / "state", "paper.gameday"):
        assert scene() == 3
    assert "another game-day is going on on cluster paper" in capfd.readouterr().err
    assert (scene.options, scene.summaries) == ([], [])
    assert scene() == 0


def test_nothing_is_begun_while_an_undo_is_pending(
    scene: Scene, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = scene.root / "state" / "pending"
    folder.mkdir(parents=True)
    (folder / "x").write_text("/runs/x\n")
    assert scene() == 3
    assert "quorate undo" in capfd.readouterr().err
    assert (scene.options, scene.summaries) == ([], [])


FREEZE = ("--freeze", "2000-01-01..2999-12-31")


@pytest.mark.parametrize(("arguments", "code"), [(FREEZE, 3), ((*FREEZE, "--outside-ok"), 0)])
def test_in_a_freeze_nothing_is_done_and_that_is_said(
    scene: Scene, capfd: pytest.CaptureFixture[str], arguments: tuple[str, ...], code: int
) -> None:
    assert scene(*arguments) == code
    assert "nothing was done: " in capfd.readouterr().err
    assert (scene.options, scene.summaries, scene.told) == ([], [], [])


def test_machines_are_told_that_nothing_was_begun(
    scene: Scene, capfd: pytest.CaptureFixture[str]
) -> None:
    assert scene(*FREEZE, "--json") == 3
    said = json.loads(capfd.readouterr().out)
    assert (said["state"], said["exit_code"]) == ("not begun", 3)


def test_a_freeze_that_is_over_is_none(scene: Scene) -> None:
    assert scene("--freeze", "2000-01-01") == 0
    assert len(scene.options) == 2


@pytest.mark.parametrize("given", [("--window", "late"), ("--freeze", "never"), ("--webhook", "x")])
def test_mistakes_in_the_arguments_are_usage(scene: Scene, given: tuple[str, str]) -> None:
    assert scene(*given) == 2
    assert scene.options == []


def test_a_webhook_hears_of_start_and_verdict(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUORATE_WEBHOOK", "https://hooks.example/secret")
    assert scene(comes_to=(MISSED, MISSED)) == 1
    begins, ends = scene.told
    assert begins == "game-day core on paper begins: 2 experiments"
    assert ends.startswith(
        "game-day core on paper: 1 of 2 as expected\nvip_drop_holder.yaml: MISSED"
    )
    assert "pod_kill" not in ends


def test_a_webhook_hears_of_an_abort(scene: Scene) -> None:
    dirty = Outcome(4, State.MET, reason="stuck")
    assert scene("--webhook", "https://hooks.example/secret", comes_to=(dirty,)) == 4
    assert "stopped: an undo failed, the cluster may still be faulted" in scene.told[-1]
    text = "".join(file.read_text() for file in (scene.root / "runs").rglob("*") if file.is_file())
    assert "secret" not in text


def test_without_a_webhook_nobody_is_told(scene: Scene) -> None:
    assert "QUORATE_WEBHOOK" not in os.environ
    assert scene() == 0
    assert scene.told == []
