"""The command line: quick help, and the right exit code for every way out."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from quorate.harness import cli
from quorate.harness.errors import RefusedError, SpecError, UndoFailed, UsageError
from quorate.harness.run.live import Options
from quorate.harness.run.outcome import Outcome
from quorate.harness.run.signals import Ending


def ended(arguments: list[str]) -> int:
    with pytest.raises(SystemExit) as end:
        cli.main(arguments)
    assert isinstance(end.value.code, int)
    return end.value.code


def raising(error: BaseException) -> Callable[..., None]:
    def play(*_: object, **__: object) -> None:
        raise error

    return play


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SpecError(None, field="x", found="y", allowed="z"), 2),
        (RefusedError("no"), 3),
        (UndoFailed([], journal="j"), 4),
        (click.UsageError("no"), 2),
        (click.FileError("no"), 2),
        (KeyboardInterrupt(), 3),
        (Ending(20), 3),
        (ZeroDivisionError(), 3),
        (MemoryError(), 3),
    ],
    ids=lambda value: type(value).__name__,
)
def test_no_error_exits_0_or_1(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    error: BaseException,
    code: int,
) -> None:
    monkeypatch.setattr(cli.quorate, "main", raising(error))
    assert ended(["run"]) == code
    assert capfd.readouterr().err != ""


def test_sigint_ends_what_a_shell_put_into_the_background(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    monkeypatch.setattr(cli.quorate, "main", lambda *_, **__: signal.raise_signal(signal.SIGINT))
    try:
        assert ended(["run"]) == 3
    finally:
        signal.signal(signal.SIGINT, before)
    assert "interrupted" in capfd.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["nothing"], ["run"], ["run", "--repeat", "0", "x"], ["judge", "--no"]]
)
def test_usage_is_2(arguments: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert ended(arguments) == 2
    assert "Usage" in capfd.readouterr().err


def test_a_file_that_is_not_there_is_2(capfd: pytest.CaptureFixture[str]) -> None:
    assert ended(["run", "/nonexistent/experiment.yaml"]) == 2
    assert "/nonexistent/experiment.yaml: found No such file" in capfd.readouterr().err


def test_the_last_file_is_read_before_the_first_is_played(
    tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "quorate.harness.run.play.play_source", raising(AssertionError("it was played"))
    )
    bad = tmp_path / "bad.yaml"
    bad.write_text("title: only\n")
    good = root / "experiments" / "vip_drop_holder.yaml"
    assert ended(["run", str(good), str(bad)]) == 2


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("longest_outage_s", "EXPERIMENT/]BOUND=NUMBER"),
        ("longest_outage_s:apo=8", "a bound that no experiment has"),
        ("other/longest_outage_s=8", "the experiment 'other'"),
        ("vip_drop_holder/bad_samples:fault=8", "none that is named so"),
    ],
)
@pytest.mark.parametrize("verb", ["run", "gameday"])
def test_a_bound_that_fits_nothing_is_2_and_nothing_is_played(
    tmp_path: Path,
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    verb: str,
    setting: str,
    said: str,
) -> None:
    monkeypatch.setattr("quorate.harness.run.play.play", raising(AssertionError("it was played")))
    monkeypatch.setenv("QUORATE_CLUSTER", str(tmp_path / "cluster.yaml"))
    what = {"run": "vip_drop_holder.yaml", "gameday": "suites/core.yaml"}[verb]
    assert ended([verb, str(root / "experiments" / what), "--set", setting]) == 2
    error = capfd.readouterr().err
    assert said in error
    assert f"--set {setting}" in error or "--set: found" in error


def test_the_bounds_of_the_cluster_are_read_before_the_first_is_played(
    tmp_path: Path,
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("quorate.harness.run.play.play", raising(AssertionError("it was played")))
    monkeypatch.setenv("QUORATE_CLUSTER", str(tmp_path / "cluster.yaml"))
    bounds = tmp_path / "objectives.yaml"
    bounds.write_text("format: 1\nat_most:\n  pod_kill: {longest_outage: 8}\n")
    files = [str(root / "experiments" / f"{name}.yaml") for name in ("vip_drop_holder", "pod_kill")]
    assert ended(["run", *files]) == 2
    assert f"{bounds}:3: at_most.pod_kill.longest_outage: found" in capfd.readouterr().err


def test_a_baseline_of_too_few_runs_is_usage(
    root: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        "quorate.harness.run.play.play_source", raising(AssertionError("it was played"))
    )
    good = str(root / "experiments" / "vip_drop_holder.yaml")
    assert ended(["run", good, "--repeat", "4", "--save-baseline"]) == 2
    assert "--save-baseline needs --repeat 5 at least, found 4" in capfd.readouterr().err


def play_each(monkeypatch: pytest.MonkeyPatch, *outcomes: Outcome) -> list[Options]:
    """Runs come out as given; the options of each."""
    left, options_of = iter(outcomes), list[Options]()

    def play(source: object, *, options: Options) -> Outcome:
        options_of.append(options)
        return next(left)

    monkeypatch.setattr("quorate.harness.run.play.play_source", play)
    monkeypatch.setenv("QUORATE_CLUSTER", "/nonexistent/cluster.yaml")  # not the lab that is up
    return options_of


def test_a_series_says_what_its_runs_prove(
    root: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    options_of = play_each(monkeypatch, Outcome(3, reason="no"), Outcome(3, reason="no"))
    good = str(root / "experiments" / "vip_drop_holder.yaml")
    assert ended(["run", good, "--repeat", "2", "--seed", "4"]) == 3
    assert [one.place for one in options_of] == [1, 2]
    assert options_of[0].seed != options_of[1].seed
    told = capfd.readouterr()
    assert told.out.count("ended early: no") == 2
    assert f"2 of 2 runs of {good}, seed 4" in told.out
    assert "run 2 of 2" in told.err


def test_an_undo_that_failed_ends_it_all(
    root: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    options_of = play_each(monkeypatch, Outcome(3), Outcome(4, reason="stuck"))
    good = str(root / "experiments" / "vip_drop_holder.yaml")
    assert ended(["run", good, good, "--repeat", "5", "--json"]) == 4
    assert len(options_of) == 2
    (said,) = json.loads(capfd.readouterr().out)["repetitions"]
    assert (said["played"], said["asked"]) == (2, 5)
    assert "an undo failed" in said["ended_early"]


def test_single_runs_are_counted(
    root: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    options_of = play_each(monkeypatch, Outcome(3), Outcome(3))
    good = str(root / "experiments" / "vip_drop_holder.yaml")
    assert ended(["run", good, good]) == 3
    assert [(one.place, one.seed) for one in options_of] == [(0, None), (0, None)]
    assert "2 runs: 2 none" in capfd.readouterr().out


def test_help_imports_next_to_nothing() -> None:
    """`--help` answers within 150 ms; a clock would make this test flaky, modules do not."""
    program = (
        "import sys\n"
        "from quorate.harness.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'pydantic', 'yaml', 'chaoslib', 'kubernetes', 'requests', 'rich', 'ssl'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stderr.strip() == "[]"
    for verb in ("gameday", "gate", "judge", "lab", "new", "report", "run", "schedule", "undo"):
        assert f"  {verb} " in done.stdout


def test_an_experiment_about_an_upgrade_is_begun_with_a_copy(
    root: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    mine = tmp_path / "mine.yaml"
    assert ended(["new", "upgrade_rolling", "-o", str(mine)]) == 0
    assert mine.read_text() == (root / "experiments" / "upgrade_rolling.yaml").read_text()
    assert ended(["new", "upgrade_rolling", "--target", "vip-holder"]) == 2
    assert "has no target" in capfd.readouterr().err
    assert ended(["new", "upgrade_sideways"]) == 2


def test_what_an_upgrade_asks_is_read_before_anything_is_done(
    root: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    asked = ["upgrade", "--to", "v1.37.2", "--dry-run", "--experiment"]
    assert ended([*asked, "vip_drop_holder"]) == 2
    assert "watch_until: upgraded" in capfd.readouterr().err
    assert ended([*asked, str(tmp_path / "none.yaml")]) == 2
    assert "none.yaml: found No such file" in capfd.readouterr().err
    text = (root / "experiments" / "upgrade_rolling.yaml").read_text()
    (tmp_path / "mine.yaml").write_text(text.replace("watch_until: upgraded", "watch_until: ever"))
    assert ended([*asked, str(tmp_path / "mine.yaml")]) == 2
    assert "mine.yaml:18: method[0]" in capfd.readouterr().err


def test_every_verb_has_an_example(capfd: pytest.CaptureFixture[str]) -> None:
    for verb in ("gameday", "gate", "judge", "new", "report", "run", "schedule", "schema", "undo"):
        assert ended([verb, "--help"]) == 0
        assert "Example:  quorate " + verb in capfd.readouterr().out


def test_no_verb_is_a_stub() -> None:
    known = {"completion", "gameday", "gate", "judge", "lab", "new", "plan", "report", "run"}
    known |= {"audit", "discover", "power", "rights", "schedule", "schema", "undo"}
    known |= {"upgrade", "watch"}
    assert set(cli.quorate.list_commands(click.Context(cli.quorate))) == known


def test_judging_what_is_no_run(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert ended(["judge", str(tmp_path)]) == 3
    assert "run.json" in capfd.readouterr().err
    assert ended(["report", "--runs", str(tmp_path / "none")]) == 2


def test_a_shipped_suite_is_known_by_its_name(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    assert cli.suite_file("core") == Path("experiments/suites/core.yaml")
    with pytest.raises(UsageError, match=r"'other': name a file, or one of controls, core"):
        cli.suite_file("other")
    monkeypatch.chdir("/")  # of an installed wheel there is no such folder
    assert cli.suite_file("core").samefile(root / "experiments" / "suites" / "core.yaml")
