"""The command line: quick help, and the right exit code for every way out."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from quorate.harness import cli
from quorate.harness.errors import RefusedError, SpecError, UndoFailed
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
    monkeypatch.setattr("quorate.harness.run.play.play", raising(AssertionError("it was played")))
    bad = tmp_path / "bad.yaml"
    bad.write_text("title: only\n")
    good = root / "experiments" / "vip_drop_holder.yaml"
    assert ended(["run", str(good), str(bad)]) == 2


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
    for verb in ("gameday", "judge", "lab", "new", "report", "run", "undo"):
        assert f"  {verb} " in done.stdout


def test_every_verb_has_an_example(capfd: pytest.CaptureFixture[str]) -> None:
    for verb in ("gameday", "judge", "new", "report", "run", "undo"):
        assert ended([verb, "--help"]) == 0
        assert "Example:  quorate " + verb in capfd.readouterr().out


def test_no_verb_is_a_stub() -> None:
    known = {"gameday", "judge", "lab", "new", "plan", "report", "run", "undo"}
    assert set(cli.quorate.list_commands(click.Context(cli.quorate))) == known


def test_judging_what_is_no_run(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert ended(["judge", str(tmp_path)]) == 3
    assert "run.json" in capfd.readouterr().err
    assert ended(["report", "--runs", str(tmp_path / "none")]) == 2


def test_a_shipped_suite_is_known_by_its_name(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    assert cli._suite_file("core") == Path("experiments/suites/core.yaml")
    assert cli._suite_file("other.yaml") == Path("other.yaml")
