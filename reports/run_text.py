"""The report of a stored run as text: the verdict's, below what its directory says besides."""

from __future__ import annotations

from collections.abc import Iterator

from quorate.reports.hostile import plain
from quorate.reports.record import UNDO_FAILED, RunRecord
from quorate.reports.rows import reason_of
from quorate.reports.text import render_text


def render_run_text(run: RunRecord) -> str:
    """Equal to `render_text` of the verdict where all went well; it ends with a newline."""
    ahead = list(_ahead(run))
    return "\n".join([*ahead, *([""] if ahead else []), render_text(run.verdict)])


def _ahead(run: RunRecord) -> Iterator[str]:
    if run.exit_code == UNDO_FAILED or run.ended != "completed":
        yield f"{run.state}, exit code {run.exit_code}: {reason_of(run)}"
    if run.exit_code == UNDO_FAILED:
        yield "AN UNDO FAILED: the cluster may still be faulted. Run `quorate undo`."
    if run.judged_now:
        yield f"not a stored verdict, but worked out for this report: {run.judged_now}"
    yield from (f"could not be read: {plain(one)}" for one in run.unreadable)
