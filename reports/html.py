"""report.html: everything about a run in one file that asks nobody for anything.

No address is fetched: style, scripts and data are in it, and its Content-Security-Policy allows
nothing else, only the scripts with these very hashes. What came from a cluster is escaped by
Jinja2, and the charts' data by its ``tojson``, which lets no ``<`` through. Without scripts the
figures and tables are still all there; only the zoomable charts are not.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from quorate.harness.model.timeline import Event
from quorate.reports import environment, rows
from quorate.reports.charts import ProbeFigure, chart_data, probe_figures
from quorate.reports.figures import range_figure, waterfalls
from quorate.reports.hostile import one_line, plain
from quorate.reports.record import UNDO_FAILED, RunRecord
from quorate.reports.text import change_text, prediction_text, saw_text

PAGE = Path(__file__).parent / "page"
UPLOT = "uplot-1.6.32"
"""The vendored chart library: the folder says its version."""

_GOODNESS = {"True": "good", "False": "bad"}

CHANGES = 200
EVENTS = 500
OUTAGES = 100
SOURCE_CHARACTERS = 50_000
"""How much of each a page shows; what is more is counted, and lies in the run's own files."""


@dataclass(frozen=True)
class _Inline:
    """A style or script as it stands in the page, and the hash by which the page allows it."""

    text: str

    @property
    def hash(self) -> str:
        """As a Content-Security-Policy wants it."""
        digest = hashlib.sha256(self.text.encode()).digest()
        return f"'sha256-{base64.b64encode(digest).decode()}'"


def render_html(run: RunRecord) -> str:
    """The whole file."""
    figures = probe_figures(run)
    drawn = any(figure.drawn.points for figure in figures)
    return _page(
        "run.html.j2",
        with_charts=drawn,
        run=run,
        verdict=run.verdict,
        state=run.state,
        reason=rows.reason_of(run),
        meaning=rows.EXIT_CODE_MEANS.get(run.exit_code, ""),
        undo_failed=run.exit_code == UNDO_FAILED,
        objectives=rows.objective_rows(run.verdict),
        clients=[(rung, saw_text(rung)) for rung in run.verdict.clients],
        figures=figures,
        data=chart_data(run, figures) if drawn else None,
        strips=_strip_box(run, figures),
        facts=_facts(run, since=_strip_box(run, figures)["start"]),
        events=rows.told_events(run.timeline),
        waterfalls=waterfalls(run.verdict.rescheduling),
        predictions=[
            (one, prediction_text(one), range_figure(one)) for one in run.verdict.predicted
        ],
        faults=rows.fault_rows(run.timeline),
        arranged=rows.arranged_rows(run.timeline),
        undos=rows.undo_rows(run),
        changes=[change_text(one) for one in run.verdict.story.components],
        identity=environment.identity_rows(run),
        sampler=environment.sampler_rows(run),
        settings=environment.settings_rows(run.fingerprint) if run.fingerprint else [],
    )


def _page(template: str, *, with_charts: bool, **given: object) -> str:
    style = _Inline(_file("style.css") + (_file(f"{UPLOT}/uPlot.min.css") if with_charts else ""))
    scripts = [_Inline(_file(f"{UPLOT}/uPlot.iife.min.js")), _Inline(_file("charts.js"))]
    return (
        _environment()
        .get_template(template)
        .render(
            style=style,
            scripts=scripts if with_charts else [],
            licence=_file(f"{UPLOT}/LICENSE") if with_charts else "",
            most={
                "changes": CHANGES,
                "events": EVENTS,
                "outages": OUTAGES,
                "source": SOURCE_CHARACTERS,
            },
            **given,
        )
    )


def _strip_box(run: RunRecord, figures: list[ProbeFigure]) -> Mapping[str, float]:
    """The stretch of time that every strip shows."""
    starts = [stretch.start for stretch in run.phases]
    starts += [figure.strip[0].start for figure in figures if figure.strip]
    start = min(starts, default=0.0)
    ends = [figure.strip[-1].end for figure in figures if figure.strip]
    end = max([*ends, *(stretch.end for stretch in run.phases)], default=run.end)
    return {"start": round(start, 3), "span": round(max(end - start, 0.001), 3)}


def _facts(run: RunRecord, *, since: float) -> list[tuple[Event, str]]:
    """Changes of components, and what each came to: good, bad or unknown."""
    found = [event for event in run.timeline.of_kind("fact") if event.t >= since]
    return [(event, _GOODNESS.get(str(event.data.get("good")), "unknown")) for event in found]


@cache
def _environment() -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(PAGE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.policies["json.dumps_kwargs"] = {"separators": (",", ":"), "allow_nan": False}
    made.globals["event_text"] = rows.event_text
    made.filters.update(plain=plain, line=one_line, seconds=_seconds, took=_took)
    return made


def _seconds(value: float) -> str:
    """``12.345 s``."""
    return f"{value:.3f} s"


def _took(value: float | None) -> str:
    """A length of an answer: ``3.2 ms``."""
    return "none" if value is None else f"{value * 1000:.1f} ms"


@cache
def _file(name: str) -> str:
    return (PAGE / name).read_text(encoding="utf-8")


def render(template: str, /, **given: Any) -> str:
    """Another page of the same make, without charts."""
    return _page(template, with_charts=False, **given)
