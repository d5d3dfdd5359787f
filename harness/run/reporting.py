"""The report of a run for people, beside its verdict."""

from __future__ import annotations

from pathlib import Path

from quorate.harness.model.verdict import Verdict
from quorate.harness.store.run_directory import RunDirectory
from quorate.reports.text import render_text

REPORT_NAME = "report.txt"


def render(verdict: Verdict) -> str:
    """The report as text."""
    return render_text(verdict)


def write_report(directory: RunDirectory, verdict: Verdict) -> None:
    """Write report.txt."""
    directory.write_text(REPORT_NAME, render(verdict))


def write_suite_report(folder: Path) -> None:
    """The report of a game-day, from the summary.json in its folder (gameday_folder.py says what
    stands in it). Called once, when it has ended or was interrupted; none is written yet."""
