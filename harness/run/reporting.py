"""The report of a run for people, beside its verdict."""

from __future__ import annotations

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
