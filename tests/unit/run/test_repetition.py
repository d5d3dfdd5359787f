"""A series: its seeds, what ends it, and what it says of the runs that it kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from quorate.harness.errors import DriverError, StoreError
from quorate.harness.model.fingerprint import Fingerprint
from quorate.harness.model.verdict import Gate, ObjectiveResult, State, Story, Verdict
from quorate.harness.run.outcome import EXIT_CODES, Outcome
from quorate.harness.run.repetition import Series, Turn, conclude, play_series
from quorate.harness.run.signals import Ending
from quorate.harness.run.telling import as_json, exit_code_of_all
from quorate.harness.store.run_directory import ExperimentSource, RunDirectory

MET, MISSED, OPEN = State.MET, State.MISSED, State.INCONCLUSIVE
HERE = Fingerprint.of({}, {"cp1": {"keepalived advert_int": "1"}})
ELSEWHERE = Fingerprint.of({}, {"cp1": {"keepalived advert_int": "3"}})


def verdict_of(run_id: str, state: State, *, value: float, injected: bool) -> Verdict:
    result = ObjectiveResult(
        indicator="longest_outage_s",
        of=("api",),
        during="fault",
        deadline_s=1.0,
        bound=5.0,
        value=value,
        low=value,
        high=value,
        unit="s",
        state=state,
    )
    return Verdict(
        run_id=run_id,
        title="t",
        verdict=state,
        objectives=(result,),
        gates=(Gate(name="fault", ok=state is not OPEN, reason=""),),
        story=Story(injected_at=30.0 if injected else None),
    )


@dataclass
class Player:
    """Plays runs that come out as they are told to; each leaves a run directory."""

    runs: Path
    experiment: Path
    turns: list[Turn] = field(default_factory=list)
    fingerprint: Fingerprint = HERE

    def ran(self, state: State = MET, *, value: float = 3.0, injected: bool = True) -> Outcome:
        from quorate.harness.store.experiment_file import read_experiment

        directory = RunDirectory.create(
            self.runs,
            experiment=read_experiment(self.experiment),
            source=ExperimentSource.read(self.experiment),
            cluster_name="paper",
            seed=1,
        )
        directory.write_fingerprint(self.fingerprint)
        directory.write_verdict(verdict_of(directory.run_id, state, value=value, injected=injected))
        return Outcome(EXIT_CODES[state], state, directory.path)

    def series(self, *steps: Callable[[], Outcome], asked: int = 0, seed: int | None = 7) -> Series:
        left = iter(steps)

        def one(turn: Turn) -> Outcome:
            self.turns.append(turn)
            return next(left)()

        series = Series("x.yaml", asked or len(steps), seed)
        play_series(series, one=one, tell=lambda outcome: None)
        return series

    def measured(self, *values: float) -> Series:
        return self.series(*(lambda value=value: self.ran(value=value) for value in values))


@pytest.fixture
def player(tmp_path: Path, root: Path) -> Player:
    return Player(tmp_path / "runs", root / "experiments" / "vip_drop_holder.yaml")


def raising(error: BaseException) -> Callable[[], Outcome]:
    def step() -> Outcome:
        raise error

    return step


REFUSED = Outcome(3, None, reason="another run holds the lock", error="RefusedError")


def test_each_run_has_a_place_and_a_seed_of_its_own(player: Player) -> None:
    player.series(*[player.ran] * 4)
    assert [turn.place for turn in player.turns] == [1, 2, 3, 4]
    first = [turn.seed for turn in player.turns]
    assert len(set(first)) == 4
    player.turns.clear()
    player.series(*[player.ran] * 4)
    assert [turn.seed for turn in player.turns] == first, "the same series again"


@pytest.mark.parametrize("seed", [None, 5])
def test_a_run_alone_is_in_no_series(player: Player, seed: int | None) -> None:
    player.series(player.ran, seed=seed)
    assert player.turns == [Turn(0, seed)]


@pytest.mark.parametrize(
    ("last", "code", "why"),
    [
        (lambda: Outcome(4, OPEN, None, "x"), 4, "an undo failed"),
        (lambda: Outcome(3, OPEN, None, "SIGINT", "Interrupted"), 3, "interrupted"),
        (raising(KeyboardInterrupt()), 3, "interrupted"),
        (raising(Ending(20)), 3, "interrupted"),
        (raising(StoreError("disk full")), 3, "disk full"),
    ],
)
def test_what_ends_a_series_at_once_keeps_what_was_done(
    player: Player, last: Callable[[], Outcome], code: int, why: str
) -> None:
    series = player.series(player.ran, player.ran, last, asked=9)
    assert why in series.ended
    assert exit_code_of_all([series]) == series.ended_with == code
    said = conclude(series, runs=player.runs, save=True)
    assert (said.share.met, said.share.runs, said.asked) == (2, 2, 9)
    assert said.not_saved == series.ended


def test_an_error_before_the_first_run_is_raised(player: Player) -> None:
    with pytest.raises(DriverError):
        player.series(raising(DriverError("no kubeconfig")), asked=3)
    interrupted = player.series(raising(KeyboardInterrupt()), asked=3)
    assert exit_code_of_all([interrupted]) == 3
    assert conclude(interrupted, runs=player.runs, save=False).share.runs == 0


def test_three_runs_that_break_nothing_end_it(player: Player) -> None:
    def refused() -> Outcome:
        return REFUSED

    def bad_baseline() -> Outcome:
        return player.ran(OPEN, injected=False)

    series = player.series(
        refused, bad_baseline, player.ran, refused, refused, bad_baseline, asked=99
    )
    assert "nothing was broken in 3 runs in a row" in series.ended
    assert series.ended_with == 0, "another experiment may fare better"
    said = conclude(series, runs=player.runs, save=False)
    assert (said.played, said.untried, said.share.runs) == (6, 5, 1)
    assert exit_code_of_all([series]) == 3


def test_a_fault_without_an_answer_is_a_trial(player: Player) -> None:
    series = player.series(*[lambda: player.ran(OPEN)] * 4)
    assert not series.ended
    said = conclude(series, runs=player.runs, save=False)
    assert (said.untried, said.share.inconclusive) == (0, 4)


def test_missed_is_worse_than_open(player: Player) -> None:
    series = player.series(player.ran, lambda: player.ran(OPEN), lambda: player.ran(MISSED))
    assert exit_code_of_all([series]) == 1


def test_a_met_run_that_failed_is_not_met(player: Player) -> None:
    def failed() -> Outcome:
        done = player.ran(MET)
        return Outcome(3, MET, done.directory, "report.txt cannot be written", "StoreError")

    said = conclude(player.series(player.ran, failed), runs=player.runs, save=False)
    assert (said.share.met, said.share.inconclusive) == (1, 1)


def test_a_run_whose_verdict_is_gone_counts_for_nothing(player: Player) -> None:
    def lost() -> Outcome:
        done = player.ran()
        assert done.directory is not None
        (done.directory / "verdict.json").unlink()
        return done

    said = conclude(player.series(player.ran, lost), runs=player.runs, save=False)
    assert (said.untried, said.share.runs) == (1, 1)


def test_json_has_the_runs_and_the_repetitions(player: Player) -> None:
    series = player.measured(3.0, 3.1)
    said = conclude(series, runs=player.runs, save=False)
    told = json.loads(as_json([series], [said]))
    assert told["exit_code"] == 0
    assert [run["details"]["verdict"] for run in told["runs"]] == ["MET", "MET"]
    (one,) = told["repetitions"]
    assert one["share"]["clean_runs"] == 27
    assert one["indicators"][0]["least"] == {"value": 3.0, "censored": False}
    assert "repetitions" not in json.loads(as_json([series], []))


# --- the stored baseline


def test_a_series_is_saved_and_the_next_one_compared(player: Player) -> None:
    first = conclude(player.measured(3.0, 3.1, 3.2, 3.3, 3.4), runs=player.runs, save=True)
    assert "no baseline is stored" in first.regression.note
    assert Path(first.saved_to).is_file()
    again = conclude(player.measured(3.05, 3.15, 3.2, 3.25, 3.3), runs=player.runs, save=False)
    assert again.regression.baseline == first.saved_to
    assert [one.worse for one in again.regression.comparisons] == [False]
    slower = conclude(player.measured(4.0, 4.1, 4.2, 4.3, 4.4), runs=player.runs, save=False)
    (one,) = slower.regression.comparisons
    assert one.worse
    assert exit_code_of_all([player.measured(4.0, 4.1)]) == 0, "it changes no verdict"


def test_a_baseline_is_compared_with_before_it_is_replaced(player: Player) -> None:
    conclude(player.measured(3.0, 3.1, 3.2, 3.3, 3.4), runs=player.runs, save=True)
    slower = conclude(player.measured(4.0, 4.1, 4.2, 4.3, 4.4), runs=player.runs, save=True)
    assert slower.regression.comparisons[0].worse
    assert slower.saved_to
    last = conclude(player.measured(4.0, 4.1, 4.2, 4.3, 4.4), runs=player.runs, save=False)
    assert not last.regression.comparisons[0].worse


def test_another_configuration_is_named_not_compared(player: Player) -> None:
    conclude(player.measured(3.0, 3.1, 3.2, 3.3, 3.4), runs=player.runs, save=True)
    player.fingerprint = ELSEWHERE
    said = conclude(player.measured(9.0, 9.1, 9.2, 9.3, 9.4), runs=player.runs, save=False)
    assert said.regression.comparisons == ()
    assert said.regression.changes == ("keepalived advert_int 1 → 3 on cp1",)


def test_too_few_answers_are_no_baseline(player: Player) -> None:
    series = player.series(*[player.ran] * 4, lambda: player.ran(OPEN))
    said = conclude(series, runs=player.runs, save=True)
    assert (said.saved_to, said.not_saved) == ("", "4 runs have an answer, a baseline needs 5")


def test_a_cluster_that_changed_meanwhile(player: Player) -> None:
    def elsewhere() -> Outcome:
        player.fingerprint = ELSEWHERE
        return player.ran()

    series = player.series(*[player.ran] * 5, elsewhere)
    said = conclude(series, runs=player.runs, save=True)
    changed = "changed during the series: keepalived advert_int 1 → 3 on cp1"
    assert changed in said.regression.note
    assert changed in said.not_saved


def test_what_the_cluster_runs_must_be_known(player: Player) -> None:
    player.fingerprint = Fingerprint.of({}, {}, missing=("files of cp1: unreachable",))
    said = conclude(player.series(player.ran), runs=player.runs, save=False)
    assert "files of cp1: unreachable" in said.regression.note


def test_a_damaged_baseline_keeps_no_report_from_being_made(player: Player) -> None:
    first = conclude(player.measured(3.0, 3.1, 3.2, 3.3, 3.4), runs=player.runs, save=True)
    Path(first.saved_to).write_text("{")
    said = conclude(player.measured(3.0, 3.1), runs=player.runs, save=False)
    assert first.saved_to in said.regression.note
    assert said.share.met == 2
