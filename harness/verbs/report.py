"""`quorate report`: a stored run, or a stored game-day, in whatever form somebody wants it."""

from __future__ import annotations

from pathlib import Path

import click

from quorate.harness.cli import JSON, RUNS
from quorate.harness.verbs.output import OUTPUT, form_of, put_out

FORMATS = ("text", "html", "junit", "json", "openmetrics", "grafana")


@click.command()
@click.argument("run", required=False, metavar="[RUN]")
@RUNS
@JSON
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="text",
    show_default=True,
    help="html: one file, no network; openmetrics: for a Prometheus; grafana: annotations.",
)
@OUTPUT
def report(run: str | None, runs: Path, as_json: bool, form: str, output: Path | None) -> None:
    """Report a stored run as it was judged; of a game-day's folder, all of its runs (html, junit).

    A run that has not ended, or that holds no verdict, is judged from what is there, and the report
    says so. Nothing is asked of a cluster, and no run directory is changed.

    \b
    Example:  quorate report runs/20260101T120000Z-vip_drop_holder-1a2b
              quorate report --format html -o report.html
              quorate report runs/gameday-20260101T120000Z-core-3c4d --format junit -o junit.xml
    """
    from quorate.harness.run.forms import rendered

    asked = form_of(form, as_json=as_json)
    put_out(rendered(run, runs=runs, form=asked), output)
