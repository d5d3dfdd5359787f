"""The forms in which a stored run, or a stored game-day, can be had."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from quorate.harness.errors import UsageError
from quorate.harness.run.gameday_folder import SUMMARY
from quorate.harness.run.index import read_day
from quorate.harness.run.record import open_run, read_record
from quorate.reports.grafana import render_grafana
from quorate.reports.html import render_html
from quorate.reports.index import cases_of, render_index
from quorate.reports.json_report import render_json
from quorate.reports.junit import Case, render_junit
from quorate.reports.openmetrics import render_openmetrics
from quorate.reports.record import RunRecord
from quorate.reports.run_text import render_run_text

OF_A_RUN: Mapping[str, Callable[[RunRecord], str]] = {
    "text": render_run_text,
    "json": lambda run: render_json(run.verdict),
    "html": render_html,
    "junit": lambda run: render_junit([Case(run.experiment_name or run.name, run)]),
    "openmetrics": render_openmetrics,
    "grafana": render_grafana,
}
OF_A_DAY = ("html", "junit")


def rendered(run: str | None, *, runs: Path, form: str) -> str:
    """A run (the newest where none is named) or a game-day's folder in one of these forms.

    UsageError for a form that a game-day does not come in; StoreError where nothing can be read.
    """
    folder = _day(run, runs=runs)
    if folder is None:
        return OF_A_RUN[form](read_record(open_run(run, runs=runs)))
    if form not in OF_A_DAY:
        raise UsageError(
            f"{folder}: is a game-day; of one there is {' and '.join(OF_A_DAY)}, not {form}: "
            "name one of its runs"
        )
    day = read_day(folder)
    if form == "html":
        return render_index(day)
    return render_junit(cases_of(day), suite=day.title)


def _day(run: str | None, *, runs: Path) -> Path | None:
    if run is None:
        return None
    for folder in (Path(run), runs / run):
        if (folder / SUMMARY).is_file() and not (folder / "run.json").exists():
            return folder
    return None
