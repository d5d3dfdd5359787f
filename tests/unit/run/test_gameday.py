"""A game-day: its order, what ends it, what is left for a resumption, and what it comes to."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from quorate.harness.errors import DriverError, StoreError, UsageError
from quorate.harness.model.verdict import State
from quorate.harness.run.gameday import Gameday, Played, Seen, exit_code, look, summary_text
from quorate.harness.run.gameday_folder import GamedayFolder
from quorate.harness.run.outcome import Outcome
from quorate.harness.run.signals import Ending
from quorate.harness.run.suite import Entry, Suite

MET = Outcome(0, State.MET)
MISSED = Outcome(1, State.MISSED)
OPEN = Outcome(3, State.INCONCLUSIVE)
REFUSED = Outcome(3, None, reason="another run holds the lock", error="RefusedError")
DIRTY = Outcome(4, State.MET, reason="an undo failed")
CUT = Outcome(3, State.MISSED, reason="the run was ended by a signal", error="Interrupted")

Step = Outcome | BaseException


@dataclass
class Scene:
    """Experiments a to d, the last a control; each comes to what it is told to."""

    root: Path
    budget_s: float | None = None
    costs: dict[str, float | None] = field(default_factory=dict)
    unsafe: tuple[str, ...] = ()
    contents: dict[str, str] = field(default_factory=dict)
    played: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    time: float = 0.0

    @property
    def suite(self) -> Suite:
        expected = {"a": State.MET, "b": State.MET, "c": State.MET, "d": State.MISSED}
        entries = tuple(Entry(Path(f"/x/{name}.yaml"), state) for name, state in expected.items())
        return Suite("core", "Core", entries, budget_s=self.budget_s)

    def day(self, *steps: Step, **others: Any) -> Gameday:
        left = iter(steps)

        def play(entry: Entry) -> Outcome:
            self.played.append(entry.file.stem)
            self.time += 40.0
            step = next(left)
            if isinstance(step, BaseException):
                raise step
            return (
                step
                if step.error == "RefusedError"
                else replace(step, directory=self.root / "runs" / f"r-{entry.file.stem}")
            )

        return Gameday(
            self.suite,
            play=play,
            say=self.said.append,
            look=self._look,
            digest=lambda entry: self.contents.get(entry.file.stem, "same"),
            clock=lambda: self.time,
            now=lambda: datetime(2026, 11, 27, tzinfo=UTC),
            **others,
        )

    def _look(self, outcome: Outcome) -> Seen:
        name = self.played[-1]
        unsafe = ("acknowledged_writes: 3 are gone",) if name in self.unsafe else ()
        return Seen(unsafe, self.costs.get(name, 1.0))

    def folder(self) -> GamedayFolder:
        return GamedayFolder.create(self.root / "runs", suite=self.suite, cluster="lab")

    def unfinished(self) -> GamedayFolder:
        return GamedayFolder.unfinished(self.root / "runs", suite=self.suite, cluster="lab")


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def code(day: Gameday) -> int:
    return exit_code(day.played, burnt=day.burnt)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ((MET, MET, MET, MISSED), 0),
        ((MET, MISSED, MET, MISSED), 1),
        ((MET, MET, MET, MET), 1),
        ((MET, OPEN, MET, MISSED), 3),
        ((MET, REFUSED, MET, MISSED), 3),
        ((MET, OPEN, MISSED, MISSED), 1),
        ((MET, DriverError("no API server answers"), MET, MISSED), 3),
    ],
)
def test_only_what_was_expected_ends_in_0(
    scene: Scene, steps: Sequence[Step], expected: int
) -> None:
    day = scene.day(*steps)
    day.run()
    assert scene.played == ["a", "b", "c", "d"]
    assert (code(day), day.state) == (expected, "finished")


def test_nothing_is_begun_after_an_undo_that_failed(scene: Scene) -> None:
    day = scene.day(MET, DIRTY)
    day.run()
    assert scene.played == ["a", "b"]
    assert (code(day), day.state) == (4, "stopped")
    assert summary_text(day).count("not played") == 2
    assert "an undo failed, the cluster may still be faulted" in summary_text(day)


def test_nothing_is_begun_after_data_was_not_safe(scene: Scene) -> None:
    scene.unsafe = ("b",)
    day = scene.day(MET, MET)
    day.run()
    assert scene.played == ["a", "b"]
    assert (code(day), day.state) == (1, "stopped")
    assert "data was not safe in b: acknowledged_writes: 3 are gone" in summary_text(day)


def test_a_control_that_lost_data_is_not_as_expected(scene: Scene) -> None:
    scene.unsafe = ("d",)
    day = scene.day(MET, MET, MET, MISSED)
    day.run()
    assert code(day) == 1
    assert [one.as_expected for one in day.played] == [True, True, True, False]


@pytest.mark.parametrize(
    ("budget_s", "played", "expected"), [(2.5, "abc", 1), (3.0, "abcd", 0), (None, "abcd", 0)]
)
def test_the_day_ends_when_its_error_budget_is_burnt(
    scene: Scene, budget_s: float | None, played: str, expected: int
) -> None:
    scene.budget_s = budget_s
    scene.costs = {"d": 100.0}  # a control is missed on purpose: that costs nobody's budget
    day = scene.day(MET, MET, MET, MISSED)
    day.run()
    assert "".join(scene.played) == played
    assert (code(day), day.burnt) == (expected, expected == 1)
    assert ("is burnt: 3.0 s of 2.5 s" in summary_text(day)) is (expected == 1)


def test_a_budget_is_not_held_by_what_is_not_known(scene: Scene) -> None:
    scene.budget_s, scene.costs = 60.0, {"a": None}
    day = scene.day(MET)
    day.run()
    assert (day.state, scene.played) == ("stopped", ["a"])
    assert "what a cost is not known" in day.why


@pytest.mark.parametrize("cut", [CUT, KeyboardInterrupt(), Ending(20)], ids=lambda one: repr(one))
def test_a_signal_ends_the_day_and_says_so(scene: Scene, cut: Step) -> None:
    folder = scene.folder()
    day = scene.day(MET, cut, keep=folder.keep)
    day.run()
    assert scene.played == ["a", "b"]
    assert (code(day), day.state) == (3, "interrupted")
    summary = json.loads((folder.path / "summary.json").read_text())
    assert (summary["state"], summary["exit_code"]) == ("interrupted", 3)
    assert "the game-day was interrupted" in (folder.path / "summary.txt").read_text()
    assert [one["not_played"] for one in summary["experiments"]][2:] == [day.why] * 2


def test_what_was_interrupted_is_as_nobody_expected(scene: Scene) -> None:
    scene.budget_s = None
    day = scene.day(MET, MET, MET, CUT)
    day.run()
    assert [one.as_expected for one in day.played] == [True, True, True, False]
    assert code(day) == 3


def test_a_refusal_is_not_the_inconclusive_that_was_expected() -> None:
    entry = Entry(Path("/x/a.yaml"), State.INCONCLUSIVE)
    assert Played(entry, replace(OPEN, error="InjectionUnproved")).as_expected
    assert not Played(entry, replace(OPEN, error="RefusedError")).as_expected


def test_the_end_of_the_window_is_an_interruption(scene: Scene) -> None:
    day = scene.day(MET, MET, not_now=lambda: "it is 04:00" if scene.time >= 80 else "")
    day.run()
    assert scene.played == ["a", "b"]
    assert (day.state, day.why, code(day)) == ("interrupted", "it is 04:00", 3)


# --- resuming


def killed(scene: Scene, *steps: Step) -> GamedayFolder:
    """A game-day whose process died in the middle of the experiment after these."""
    folder = scene.folder()
    with pytest.raises(SystemError):
        scene.day(*steps, SystemError(), keep=folder.keep).run()
    scene.played.clear()
    return folder


def test_after_a_kill_only_what_is_left_is_played(scene: Scene) -> None:
    folder = killed(scene, MET, MET)
    before = json.loads((folder.path / "summary.json").read_text())
    assert (before["state"], before["exit_code"], before["ended"]) == ("going", 3, None)
    again = scene.unfinished()
    assert again.path == folder.path
    day = scene.day(MET, MISSED, before=again.before, keep=again.keep)
    day.run()
    assert scene.played == ["c", "d"]
    assert (code(day), day.state) == (0, "finished")
    summary = json.loads((folder.path / "summary.json").read_text())
    assert [one["before"] for one in summary["experiments"]] == [True, True, False, False]
    assert [one["run"] for one in summary["experiments"]] == ["r-a", "r-b", "r-c", "r-d"]
    assert len(summary["resumed"]) == 1
    assert summary["started"] == before["started"]


def test_the_interrupted_experiment_itself_is_played_again(scene: Scene) -> None:
    folder = scene.folder()
    scene.day(MET, CUT, keep=folder.keep).run()
    scene.played.clear()
    day = scene.day(MET, MET, MISSED, before=scene.unfinished().before)
    day.run()
    assert scene.played == ["b", "c", "d"]
    assert code(day) == 0


def test_what_was_refused_is_played_again(scene: Scene) -> None:
    killed(scene, REFUSED, MET)
    scene.day(MET, MET, MISSED, before=scene.unfinished().before).run()
    assert scene.played == ["a", "c", "d"]


def test_a_changed_experiment_is_played_again(scene: Scene) -> None:
    killed(scene, MET, MET)
    scene.contents = {"a": "other"}
    scene.day(MET, MET, MISSED, before=scene.unfinished().before).run()
    assert scene.played == ["a", "c", "d"]


def test_what_was_spent_before_is_spent(scene: Scene) -> None:
    scene.budget_s, scene.costs = 10.0, {"a": 6.0, "b": 3.0, "c": 2.0}
    killed(scene, MET, MET)
    day = scene.day(MET, before=scene.unfinished().before)
    day.run()
    assert day.burnt
    assert "11.0 s of 10 s" in day.why


def test_a_verdict_that_was_not_expected_stays(scene: Scene) -> None:
    killed(scene, MISSED)
    day = scene.day(MET, MET, MISSED, before=scene.unfinished().before)
    day.run()
    assert code(day) == 1


@pytest.mark.parametrize("steps", [(MET, MET, MET, MISSED), (MET, DIRTY)])
def test_what_has_ended_or_was_stopped_is_not_resumed(scene: Scene, steps: Sequence[Step]) -> None:
    folder = scene.folder()
    scene.day(*steps, keep=folder.keep).run()
    with pytest.raises(UsageError, match=r"no game-day of 'core' .* was interrupted"):
        scene.unfinished()


def test_the_newest_of_the_suite_is_resumed(scene: Scene) -> None:
    first = killed(scene, MET)
    second = killed(scene, MET)
    (scene.root / "runs" / "gameday-29990101T000000Z-core-other-0000").mkdir()
    newer = scene.root / "runs" / "gameday-29990101T000000Z-core-other-0000" / "summary.json"
    newer.write_text(json.dumps({"format": 1, "suite": "core-other"}))
    (scene.root / "runs" / "gameday-29990101T000000Z-core-0001").mkdir()
    assert scene.unfinished().path == max(first.path, second.path)


def test_the_game_day_of_another_cluster_is_not_resumed(scene: Scene) -> None:
    folder = killed(scene, MET)
    file = folder.path / "summary.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"cluster": "other"}))
    with pytest.raises(UsageError, match="is a game-day of cluster 'other', this is 'lab'"):
        scene.unfinished()


@pytest.mark.parametrize(
    "change",
    [
        lambda data: "{",
        lambda data: json.dumps(data | {"format": 2}),
        lambda data: json.dumps({key: data[key] for key in data if key != "experiments"}),
        lambda data: json.dumps(data | {"experiments": [{"experiment": "x"}]}),
        lambda data: json.dumps([]),
    ],
)
def test_a_damaged_summary_is_named(scene: Scene, change: Callable[[Any], str]) -> None:
    file = killed(scene, MET).path / "summary.json"
    file.write_text(change(json.loads(file.read_text())))
    with pytest.raises(StoreError, match=r"summary\.json"):
        scene.unfinished()


def test_the_summary_tells_a_report_all_that_it_needs(scene: Scene) -> None:
    folder = scene.folder()
    scene.budget_s = 60.0
    scene.day(MET, REFUSED, MISSED, MISSED, keep=folder.keep).run()
    summary = json.loads((folder.path / "summary.json").read_text())
    assert summary["cluster"] == "lab"
    assert (summary["budget_s"], summary["spent_s"], summary["exit_code"]) == (60.0, 3.0, 1)
    first, second, third, fourth = summary["experiments"]
    assert first["name"] == "a"
    assert (first["verdict"], first["expected"], first["as_expected"]) == ("MET", "MET", True)
    assert (first["run"], first["duration_s"], first["outage_s"]) == ("r-a", 40.0, 1.0)
    assert (second["verdict"], second["run"]) == (None, None)
    assert second["outcome"]["reason"] == "another run holds the lock"
    assert third["as_expected"] is False
    assert fourth["as_expected"] is True
    text = (folder.path / "summary.txt").read_text()
    assert "2 of 4 as expected" in text
    assert "another run holds the lock" in text


def test_where_nothing_was_begun_nothing_was_spent(tmp_path: Path) -> None:
    assert look(REFUSED) == Seen((), 0.0)
    assert look(replace(OPEN, directory=tmp_path, error="RefusedError")).outage_s == 0.0
    assert look(replace(OPEN, directory=tmp_path, error="ProbeError")).outage_s is None


def test_a_real_run_tells_what_it_cost(root: Path) -> None:
    stored = root / "tests" / "replay" / "stored"
    run = next(stored.glob("*-apiserver_pause_tcp_checked-*"))
    seen = look(replace(MISSED, directory=run))
    assert seen.unsafe == ()
    assert seen.outage_s is not None
    assert seen.outage_s > 1.0
