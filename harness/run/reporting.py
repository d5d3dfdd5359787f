"""The reports of a run for people, beside its verdict."""

from __future__ import annotations

import logging
from pathlib import Path

import jinja2

from quorate.harness.errors import StoreError
from quorate.harness.model.verdict import Verdict
from quorate.harness.run.index import INDEX_NAME, write_index
from quorate.harness.run.record import PAGE_NAME, read_record
from quorate.harness.store.run_directory import RunDirectory
from quorate.reports.html import render_html
from quorate.reports.text import render_text

REPORT_NAME = "report.txt"

_LOG = logging.getLogger(__name__)

_OURS = (
    jinja2.TemplateError,
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)
"""What a mistake in a page would raise. It must not cost the run its verdict and exit code."""


def render(verdict: Verdict) -> str:
    """The report as text."""
    return render_text(verdict)


def write_report(directory: RunDirectory, verdict: Verdict) -> None:
    """Write report.txt and report.html; StoreError where the disk does not take them.

    A page that cannot be made is logged and left out: the verdict stands without it.
    """
    directory.write_text(REPORT_NAME, render(verdict))
    try:
        page = render_html(read_record(directory, verdict=verdict))
    except _OURS:
        _LOG.exception("%s cannot be made, which is a bug", directory.path / PAGE_NAME)
        (directory.path / PAGE_NAME).unlink(missing_ok=True)
        return
    directory.write_text(PAGE_NAME, page)


def write_suite_report(folder: Path) -> None:
    """The page of a game-day, from the summary.json in its folder (gameday_folder.py says what
    stands in it). Called once, when it has ended or was interrupted; where it cannot be made or
    written that is logged: what the game-day came to stands without it."""
    try:
        write_index(folder)
    except StoreError as error:
        _LOG.error("%s", error)
    except _OURS:
        _LOG.exception("%s cannot be made, which is a bug", folder / INDEX_NAME)
