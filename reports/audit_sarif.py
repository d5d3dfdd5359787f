"""An audit as SARIF 2.1.0 (OASIS), for tools that show findings of static checks."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from quorate.harness.model.audit import Audit, Finding, RuleText, Severity
from quorate.reports.audit_text import cost_text
from quorate.reports.hostile import one_line

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
LEVELS: Mapping[Severity, str] = {
    Severity.BLOCKING: "error",
    Severity.WARNING: "warning",
    Severity.UNKNOWN: "note",
}


def render_audit_sarif(audit: Audit, rules: Sequence[RuleText]) -> str:
    """The whole document. What is explained carries a suppression, with its reason."""
    index = {rule.id: position for position, rule in enumerate(rules)}
    run = {
        "tool": {
            "driver": {
                "name": "quorate",
                "rules": [_rule(rule) for rule in rules],
            }
        },
        "invocations": [
            {
                "executionSuccessful": not audit.count(Severity.UNKNOWN),
                "endTimeUtc": f"{audit.looked:%Y-%m-%dT%H:%M:%SZ}",
            }
        ],
        "results": [_result(one, index[one.id], audit.cluster) for one in audit.findings],
    }
    document = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _rule(rule: RuleText) -> dict[str, Any]:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.what},
        "help": {"text": rule.fix},
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
    }


def _result(one: Finding, index: int, cluster: str) -> dict[str, Any]:
    text = f"{one.of}: {one.title} ({one.where}: {one.found})."
    cost = "" if one.cost is None else f" Costs {cost_text(one.cost)}."
    place = {
        "name": one_line(one.of),
        "fullyQualifiedName": one_line(f"{cluster}/{one.of}/{one.where}"),
        "kind": "resource",
    }
    found: dict[str, Any] = {
        "ruleId": one.id,
        "ruleIndex": index,
        "level": LEVELS[one.severity],
        "message": {"text": one_line(f"{text}{cost} Fix: {one.fix}")},
        "locations": [{"logicalLocations": [place]}],
        "partialFingerprints": {"ruleAndPlace/v1": one_line(f"{one.id}/{one.of}/{one.where}")},
    }
    if one.accepted is not None:
        found["suppressions"] = [
            {"kind": "external", "status": "accepted", "justification": one_line(one.accepted)}
        ]
    return found
