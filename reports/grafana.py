"""Annotations for Grafana: what was done to the cluster and when, to lie over its own graphs.

A list of bodies for its HTTP API (``POST /api/annotations``), one request each. Times of day are
those of the machine that ran quorate.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterator
from typing import NamedTuple

from quorate.harness.errors import UsageError
from quorate.reports.hostile import one_line
from quorate.reports.record import RunRecord
from quorate.reports.rows import fault_rows, reason_of


class _Told(NamedTuple):
    """One stretch of time, seconds since the run's base, and what is said of it."""

    tag: str
    start: float
    end: float
    text: str


def render_grafana(run: RunRecord) -> str:
    """The list as JSON; UsageError where the run does not say at what time of day it was."""
    if run.began is None:
        raise UsageError(
            f"{run.name}: its run.json has no base.wall, and annotations need a time of day"
        )
    found = [_annotation(run, one) for one in _told(run)]
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def _told(run: RunRecord) -> Iterator[_Told]:
    yield _Told("run", 0.0, run.end, f"{run.state}: {run.verdict.title} ({reason_of(run)})")
    nodes = {(one.fault, one.at): ", ".join(one.nodes) for one in fault_rows(run.timeline)}
    for fault in run.faults:
        where = nodes.get((one_line(fault.name), fault.start), "?")
        yield _Told("fault", fault.start, fault.end, f"{fault.name} on {where}")
    for judged in run.judged:
        for one in judged.outages:
            over = ", not over when the data ended" if one.censored else ""
            text = f"outage of {judged.probe} at a deadline of {judged.deadline_s:g} s{over}"
            yield _Told("outage", one.start, one.end, text)


def _annotation(run: RunRecord, one: _Told) -> dict[str, object]:
    began, ended = run.wall(one.start), run.wall(one.end)
    assert began is not None
    assert ended is not None
    tags = ["quorate", one.tag, run.experiment_name, run.cluster]
    tags += [run.state.value] if one.tag == "run" else []
    return {
        "time": round(began.timestamp() * 1000),
        "timeEnd": round(ended.timestamp() * 1000),
        "tags": [one_line(tag) for tag in tags if tag],
        # Grafana shows an annotation's text as HTML.
        "text": html.escape(one_line(one.text)),
    }
