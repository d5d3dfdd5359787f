"""`quorate gate`: yes or no."""

from __future__ import annotations

import sys
from typing import Any

import click

from quorate.harness.cli import CLUSTER, JSON, RUNS, SET, run_options, suite_file


@click.command()
@click.option("--suite", default="core", show_default=True, help="A suite's file, or its name.")
@click.option(
    "--max-age",
    default="24h",
    show_default=True,
    metavar="AGE",
    help="Older runs do not count: a number and s, m, h or d.",
)
@click.option("--run", "play_missing", is_flag=True, help="Play what has no run that counts.")
@CLUSTER
@RUNS
@SET
@JSON
def gate(suite: str, max_age: str, play_missing: bool, as_json: bool, **given: Any) -> None:
    """Yes or no, from the runs that are stored: may the cluster be upgraded tonight?

    Each experiment of the suite must have come out as expected, on the cluster as it is now (its
    versions, topology and configuration are read and compared) and not longer ago than allowed.
    Nothing is injected unless --run is given.

    Exit codes: 0 yes, 1 no since an objective or data safety was missed, 2 usage, 3 no since there
    is no run that counts (none, too old, of another configuration, INCONCLUSIVE), 4 with --run: an
    undo failed.

    \b
    Example:  quorate gate --suite core --max-age 24h
              quorate gate --suite core --max-age 7d --run --json
    """
    from quorate.harness.run import suite as suites
    from quorate.harness.run.gameday import UNDO_FAILED, exit_code
    from quorate.harness.run.gate import Gate, missing_part, read_age
    from quorate.harness.run.holding import Terms, hold
    from quorate.harness.run.outcome import EXIT_CODES
    from quorate.reports.clearance import clearance_json, render_clearance

    asked = Gate(
        suites.read_suite(suite_file(suite)),
        run_options(seed=None, **given),
        max_age_s=read_age(max_age),
    )
    clearance, code = asked.ask(), 0
    missing = missing_part(asked.suite, clearance)
    if play_missing and missing.entries:
        day, _ = hold(missing, Terms(asked.options))
        clearance, code = asked.ask(), exit_code(day.played)
    code = code if code == UNDO_FAILED else EXIT_CODES[clearance.state]
    if as_json:
        click.echo(clearance_json(clearance, exit_code=code), nl=False)
    else:
        click.echo(render_clearance(clearance), nl=False)
    sys.exit(code)
