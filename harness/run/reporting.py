"""The reports of a run for people, beside its verdict."""

from __future__ import annotations

import jinja2

from quorate.harness.errors import StoreError
from quorate.harness.model.verdict import Verdict
from quorate.harness.run.record import read_record
from quorate.harness.store.run_directory import RunDirectory
from quorate.reports.html import render_html
from quorate.reports.text import render_text

REPORT_NAME = "report.txt"
PAGE_NAME = "report.html"


def render(verdict: Verdict) -> str:
    """The report as text."""
    return render_text(verdict)


def write_report(directory: RunDirectory, verdict: Verdict) -> None:
    """Write report.txt and report.html. StoreError."""
    directory.write_text(REPORT_NAME, render(verdict))
    record = read_record(directory, verdict=verdict)
    try:
        page = render_html(record)
    except jinja2.TemplateError as error:
        raise StoreError(f"{directory.path}/{PAGE_NAME}: cannot be made: {error}") from error
    directory.write_text(PAGE_NAME, page)
