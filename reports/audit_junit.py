"""An audit as JUnit: a test case for each rule, so that a pipeline sees what passed too."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence

from quorate.harness.model.audit import Audit, Finding, RuleText, Severity
from quorate.reports.audit_text import cost_text
from quorate.reports.hostile import one_line

CLASS = "quorate.audit"


def render_audit_junit(audit: Audit, rules: Sequence[RuleText]) -> str:
    """The whole document. BLOCKING is a failure, UNKNOWN an error; a WARNING passes, with what it
    says as the case's output."""
    cases = [_case(rule, [one for one in audit.open if one.id == rule.id]) for rule in rules]
    counts = {
        "tests": str(len(cases)),
        "failures": str(sum(one.find("failure") is not None for one in cases)),
        "errors": str(sum(one.find("error") is not None for one in cases)),
        "skipped": "0",
    }
    whole = {"name": one_line(f"audit of {audit.cluster}"), **counts}
    top = ET.Element("testsuites", whole)
    suite = ET.SubElement(top, "testsuite", whole)
    suite.set("timestamp", audit.looked.isoformat(timespec="seconds"))
    suite.extend(cases)
    ET.indent(top)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(top, encoding="unicode")}\n'


def _case(rule: RuleText, found: Sequence[Finding]) -> ET.Element:
    case = ET.Element("testcase", {"classname": CLASS, "name": rule.id})
    if not found:
        return case
    text = "\n".join(map(_line, found))
    if rule.severity is Severity.WARNING:
        ET.SubElement(case, "system-out").text = text
        return case
    tag = "failure" if rule.severity is Severity.BLOCKING else "error"
    message = {"type": rule.severity.value, "message": one_line(rule.what)}
    ET.SubElement(case, tag, message).text = text
    return case


def _line(one: Finding) -> str:
    cost = "" if one.cost is None else f"; costs {cost_text(one.cost)}"
    return one_line(f"{one.of}: {one.title} ({one.where}: {one.found}){cost}; fix: {one.fix}")
