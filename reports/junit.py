"""JUnit XML: one testcase for each run, what was measured as its properties.

A missed objective is a ``<failure>``; INCONCLUSIVE is an ``<error>``, neither passed nor skipped,
and so is an undo that failed. An experiment of which something else is expected (a control) passes
where it comes to that.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from quorate.harness.model.verdict import State
from quorate.reports.hostile import one_line, plain
from quorate.reports.indicators import indicator_pairs
from quorate.reports.record import UNDO_FAILED, RunRecord
from quorate.reports.rows import reason_of
from quorate.reports.text import render_text

CLASS = "quorate"


@dataclass(frozen=True)
class Case:
    """One testcase. ``run`` is None where there is none to be read; then ``reason`` says why.

    ``expected``: what it must come to, MET unless a suite says otherwise.
    """

    name: str
    run: RunRecord | None
    expected: State = State.MET
    reason: str = ""


def render_junit(cases: Sequence[Case], *, suite: str = "quorate") -> str:
    """The whole document."""
    made = [_case(one) for one in cases]
    failures = sum(one.find("failure") is not None for one in made)
    errors = sum(one.find("error") is not None for one in made)
    counts = {"tests": str(len(made)), "failures": str(failures), "errors": str(errors)}
    seconds = sum(one.run.end for one in cases if one.run is not None)
    whole = {"name": one_line(suite), **counts, "skipped": "0", "time": f"{seconds:.3f}"}
    top = ET.Element("testsuites", whole)
    inner = ET.SubElement(top, "testsuite", whole)
    began = [one.run.began for one in cases if one.run is not None and one.run.began is not None]
    if began:
        inner.set("timestamp", min(began).isoformat(timespec="seconds"))
    inner.extend(made)
    ET.indent(top)
    text = ET.tostring(top, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'


def _case(one: Case) -> ET.Element:
    case = ET.Element("testcase", {"classname": CLASS, "name": one_line(one.name)})
    if one.run is None:
        _bad(case, "error", kind="NOT RUN", message=one.reason, text="")
        return case
    case.set("time", f"{one.run.end:.3f}")
    properties = ET.SubElement(case, "properties")
    for name, value in property_pairs(one.run):
        ET.SubElement(properties, "property", {"name": one_line(name), "value": one_line(value)})
    _outcome(case, one.run, expected=one.expected)
    return case


def _outcome(case: ET.Element, run: RunRecord, *, expected: State) -> None:
    text, message = plain(render_text(run.verdict), at_most=200_000), reason_of(run)
    if run.exit_code == UNDO_FAILED:
        _bad(case, "error", kind="UNDO FAILED", message=message, text=text)
    elif run.state is not expected:
        if expected is not State.MET:
            message = f"expected {expected}, came to {run.state}: {message}"
        tag = "error" if run.state is State.INCONCLUSIVE else "failure"
        _bad(case, tag, kind=run.state.value, message=message, text=text)


def _bad(case: ET.Element, tag: str, *, kind: str, message: str, text: str) -> None:
    made = ET.SubElement(case, tag, {"type": kind, "message": one_line(message)})
    made.text = text


def property_pairs(run: RunRecord) -> Iterator[tuple[str, str]]:
    """(name, value) of everything that a pipeline may want to keep."""
    yield "verdict", run.state.value
    yield "exit_code", str(run.exit_code)
    yield "run", run.verdict.run_id
    if run.cluster:
        yield "cluster", run.cluster
    if run.fingerprint is not None and run.fingerprint.id:
        yield "fingerprint", run.fingerprint.id
    yield from indicator_pairs(run.verdict)
    for check in run.verdict.data_safety or ():
        yield f"data_safety.{check.name}", check.state.value
