"""`quorate gameday`: a suite, from start to summary."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import click

from quorate.harness.cli import CLUSTER, JSON, RUNS, SET, run_options, suite_file


@click.command()
@click.argument("suite", default="core")
@CLUSTER
@RUNS
@SET
@click.option("--resume", is_flag=True, help="Go on with the newest one that was interrupted.")
@click.option("--window", metavar="HH:MM-HH:MM", help="Begin nothing outside these times.")
@click.option(
    "--freeze", multiple=True, metavar="DAY[..DAY]", help="Break nothing then; may be repeated."
)
@click.option("--outside-ok", is_flag=True, help="Outside window or in a freeze: exit code 0.")
@click.option(
    "--webhook",
    metavar="URL",
    help="Tell it at start, end and abort (better: $QUORATE_WEBHOOK, which no process list shows).",
)
@JSON
def gameday(
    suite: str, resume: bool, outside_ok: bool, webhook: str | None, as_json: bool, **given: Any
) -> None:
    """Play a suite; every experiment must come to the verdict that the suite expects.

    SUITE is a file, or the name of one in experiments/suites. It stops when an undo failed, when
    data was not safe, and when the suite's error budget (budget_s) is burnt. After an interruption
    --resume goes on in the same folder with what is left.

    Exit codes: 0 each as expected; 1 a verdict differs, data was not safe or the budget is burnt;
    2 usage; 3 something is not decided, was interrupted, or nothing was begun (outside the window,
    in a freeze, another game-day is going on); 4 an undo failed.

    \b
    Example:  quorate gameday core
              quorate gameday core --resume
              quorate gameday nightly --window 22:00-04:00 --freeze 2026-12-20..2027-01-06
    """
    from quorate.harness.run import suite as suites
    from quorate.harness.run import window as windows
    from quorate.harness.run.gameday import exit_code, summary_text
    from quorate.harness.run.holding import Terms, hold
    from quorate.harness.run.webhook import VARIABLE, Webhook

    within, frozen = given.pop("window"), given.pop("freeze")
    not_now = _Times(
        windows.read_window(within) if within else None, tuple(map(windows.read_freeze, frozen))
    )
    read, options = suites.read_suite(suite_file(suite)), run_options(seed=None, **given)
    url = webhook or os.environ.get(VARIABLE)
    hook = Webhook(url, say=options.progress.say) if url else None
    if reason := not_now():
        code = 0 if outside_ok else 3
        click.echo(f"nothing was done: {reason}", err=True)
        if as_json:
            click.echo(json.dumps({"state": "not begun", "why": reason, "exit_code": code}))
        sys.exit(code)
    terms = Terms(options, resume=resume, not_now=not_now, tell=hook.tell if hook else None)
    day, folder = hold(read, terms)
    if as_json:
        click.echo((folder.path / "summary.json").read_text(), nl=False)
    else:
        click.echo(f"{summary_text(day)}\nsummary: {folder.path}\npage: {folder.path}/index.html")
    sys.exit(exit_code(day.played, burnt=day.burnt))


@dataclass(frozen=True)
class _Times:
    window: Any
    freezes: Sequence[Any]

    def __call__(self) -> str:
        from quorate.harness.run.window import not_now

        now = datetime.now().astimezone()
        return not_now(now, window=self.window, freezes=self.freezes)
