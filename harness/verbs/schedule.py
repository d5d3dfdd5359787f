"""`quorate schedule`: files for schedulers that people have already."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from quorate.harness.cli import CLUSTER, JSON, RUNS, suite_file

IN_POD = {"cluster": "/etc/quorate/cluster.yaml", "runs": "/var/lib/quorate/runs"}
"""Where a CronJob's volumes are mounted."""

CALENDAR_S = 10.0


@click.command()
@click.argument("suite", default="core")
@click.option(
    "--as",
    "kind",
    required=True,
    type=click.Choice(["systemd", "cronjob", "cron"]),
    help="For whom: a systemd service and timer, a Kubernetes CronJob, a file of /etc/cron.d.",
)
@click.option("--at", default="", help="When, in its words: 'Mon..Fri 02:30', or '30 2 * * 1-5'.")
@click.option("--window", metavar="HH:MM-HH:MM", help="Begin nothing outside these times.")
@click.option("--freeze", multiple=True, metavar="DAY[..DAY]", help="Break nothing on these days.")
@click.option("--image", default="", help="Of a CronJob: holds quorate, and the suite where it is.")
@click.option("--timezone", default="Etc/UTC", show_default=True, help="Of a CronJob.")
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("."),
    show_default=True,
    metavar="DIR",
    help="Where to write (never over a file that exists).",
)
@CLUSTER
@RUNS
@JSON
def schedule(suite: str, kind: str, output: Path, as_json: bool, **given: Any) -> None:
    """Write what lets systemd, Kubernetes or cron play a game-day, and say what was written.

    Nothing is installed. Window and freezes are looked at by the game-day itself when it is
    started, in the time zone of its machine; on one cluster there is one at a time.

    \b
    Example:  quorate schedule nightly --as systemd --window 22:00-04:00
              quorate schedule core --as cron --at '30 2 * * 1-5' --freeze 2026-12-20..2027-01-06
              quorate schedule core --as cronjob --image registry.example/quorate:1
    """
    from quorate.harness.run import schedule as schedules
    from quorate.harness.run.suite import read_suite
    from quorate.harness.run.window import read_freeze, read_window

    planned = schedules.Schedule(
        name=Path(suite).stem if kind == "cronjob" else read_suite(suite_file(suite)).name,
        **_places(suite, kind=kind, cluster=given["cluster"], runs=given["runs"]),
        at=given["at"],
        window=read_window(given["window"]) if given["window"] else None,
        freezes=tuple(map(read_freeze, given["freeze"])),
        image=given["image"],
        timezone=given["timezone"],
    )
    if kind == "systemd":
        _check_calendar(planned.calendar)
    make = {
        "systemd": schedules.systemd_units,
        "cronjob": schedules.cronjob,
        "cron": schedules.cron_line,
    }
    written = _write(make[kind](planned), output)
    when = planned.calendar if kind == "systemd" else planned.cron
    if as_json:
        document = {"written": list(map(str, written)), "at": when, "command": planned.argv}
        click.echo(json.dumps(document, indent=2, sort_keys=True))
        return
    for path in written:
        click.echo(f"wrote {path}")
    click.echo(f"begins: {when}")
    for line in _next_steps(kind, written, unit=planned.unit):
        click.echo(line)


def _places(suite: str, *, kind: str, cluster: Path | None, runs: Path) -> dict[str, Any]:
    """The command and its paths, where it will run."""
    from quorate.harness.cluster.state import find_cluster

    if kind == "cronjob":
        suite_there = suite if suite.endswith(".yaml") else f"experiments/suites/{suite}.yaml"
        return {"program": ["quorate"], "suite": suite_there, "folder": "/quorate", **IN_POD}
    return {
        "program": _program(),
        "suite": str(suite_file(suite).resolve()),
        "cluster": str(find_cluster(cluster)),
        "runs": str(runs.absolute()),
        "folder": str(Path.cwd()),
    }


def _program() -> list[str]:
    """This quorate, by a path that holds without $PATH."""
    started = Path(sys.argv[0])
    if started.name == "quorate" and os.access(started, os.X_OK) and started.is_file():
        return [str(started.absolute())]
    found = shutil.which("quorate")
    return [found] if found else [sys.executable, "-m", "quorate"]


def _check_calendar(text: str) -> None:
    """UsageError where systemd, if it is here, does not know what is meant."""
    from quorate.harness.errors import UsageError

    program = shutil.which("systemd-analyze")
    if program is None:
        return
    argv = [program, "calendar", "--", text]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=CALENDAR_S)
    except (OSError, subprocess.TimeoutExpired):
        return
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise UsageError(f"--at: {said[-1] if said else 'systemd does not know it'}: {text!r}")


def _write(files: dict[str, str], folder: Path) -> list[Path]:
    """All of them, or none where one is there already. UsageError."""
    from quorate.harness.errors import UsageError

    paths = [folder / name for name in files]
    for path in paths:
        if path.exists():
            raise UsageError(f"{path}: is there already; nothing was written")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in zip(paths, files.values(), strict=True):
            path.write_text(text)
    except OSError as error:
        raise UsageError(f"{folder}: {error.strerror}") from error
    return paths


def _next_steps(kind: str, written: Sequence[Path], *, unit: str) -> list[str]:
    names = " ".join(map(str, written))
    if kind == "systemd":
        install = f"cp {names} /etc/systemd/system/ && systemctl daemon-reload"
        return [
            f"check:   systemd-analyze verify {names}",
            f"install: {install} && systemctl enable --now {unit}.timer",
        ]
    if kind == "cron":  # names with a dot are passed over in /etc/cron.d
        return [f"install: cp {names} /etc/cron.d/{unit}"]
    return [f"install: kubectl apply -f {names}, on another cluster than the one that it breaks"]
