"""An audit for people: what blocks first, each with its evidence, its cost and the way out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from quorate.harness.model.audit import Audit, Cost, Finding, Severity
from quorate.reports.hostile import one_line

ENDS = {
    0: "Nothing blocks.",
    1: "Not highly available as it is: what is BLOCKING comes first.",
    3: "Nothing blocks as far as could be told: what is UNKNOWN was not audited.",
}


def render_audit(audit: Audit) -> str:
    """The whole text; it ends with a newline."""
    return "\n".join(_lines(audit)) + "\n"


def cost_text(cost: Cost) -> str:
    """`2.6 to 3.6 s (formula)`."""
    return f"{cost.low_s:.1f} to {cost.high_s:.1f} s ({one_line(cost.formula)})"


def _lines(audit: Audit) -> Iterator[str]:
    when = f"{audit.looked:%Y-%m-%d %H:%M:%S} UTC"
    yield f"audit of {one_line(audit.cluster)} at {when}; nothing was changed"
    for same in _alike(audit.open):
        yield ""
        yield from _finding(same)
    explained = [one for one in audit.findings if one.accepted is not None]
    if explained:
        yield ""
        yield "Explained by the list, and not counted:"
        for one in explained:
            yield f"  {one.id} of {one_line(one.of)}: {one_line(one.accepted)}"
    yield ""
    counts = ", ".join(f"{audit.count(severity)} {severity}" for severity in Severity)
    yield f"{counts}. {ENDS[audit.exit_code]}"


def _finding(same: Sequence[Finding]) -> Iterator[str]:
    first = same[0]
    whose = ", ".join(one_line(one.of) for one in same)
    yield f"{first.severity} {first.id}: {whose}: {one_line(first.title)}"
    for one in same:
        yield f"    found  {one_line(one.where)}: {one_line(one.found)}"
    if first.cost is not None:
        yield f"    costs  {cost_text(first.cost)}"
    yield f"    fix    {one_line(first.fix)}"


def _alike(findings: Sequence[Finding]) -> list[list[Finding]]:
    """Those that say the same of several nodes stand together."""
    groups: dict[tuple[object, ...], list[Finding]] = {}
    for one in findings:
        groups.setdefault((one.id, one.title, one.cost), []).append(one)
    return list(groups.values())
