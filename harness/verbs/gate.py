"""`quorate gate`: yes or no."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from quorate.harness.cli import CLUSTER, JSON, RUNS, SET, run_options, suite_file

if TYPE_CHECKING:
    from quorate.harness.run.live import Options
    from quorate.harness.run.suite import Played, Suite


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
    from quorate.harness.run.gate import Gate, missing_part, read_age
    from quorate.harness.run.outcome import EXIT_CODES
    from quorate.reports.clearance import clearance_json, render_clearance

    asked = Gate(
        suites.read_suite(suite_file(suite)),
        run_options(seed=None, **given),
        max_age_s=read_age(max_age),
    )
    clearance, played = asked.ask(), []
    missing = missing_part(asked.suite, clearance)
    if play_missing and missing.entries:
        played = _play(missing, options=asked.options)
        clearance = asked.ask()
    code = EXIT_CODES[clearance.state]
    if any(one.outcome and one.outcome.exit_code == suites.UNDO_FAILED for one in played):
        code = suites.UNDO_FAILED
    if as_json:
        click.echo(clearance_json(clearance, exit_code=code), nl=False)
    else:
        click.echo(render_clearance(clearance), nl=False)
    sys.exit(code)


def _play(missing: Suite, *, options: Options) -> list[Played]:
    """The experiments that have no run that counts, in the suite's order."""
    from quorate.harness.run import play
    from quorate.harness.run import suite as suites

    play.check([one.file for one in missing.entries], options=options)
    return suites.play_suite(
        missing, play=lambda file: play.play(file, options=options), say=options.progress.say
    )
