"""A rule: what it looks for, how grave that is, and the way out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from quorate.harness.audit.facts import AuditFacts
from quorate.harness.model.audit import Cost, Finding, RuleText, Severity
from quorate.harness.predict.formulas import Bound

BLOCKING, WARNING, UNKNOWN = Severity.BLOCKING, Severity.WARNING, Severity.UNKNOWN


@dataclass(frozen=True)
class Found:
    """What a rule yields: the node or object, a sentence, and where which value was found."""

    of: str
    title: str
    where: str
    found: str
    cost: Bound | None = None


@dataclass(frozen=True)
class Rule:
    """``look`` yields one Found for each place where it is so; nothing for what was not read."""

    text: RuleText
    look: Callable[[AuditFacts], Iterator[Found]]

    def findings(self, facts: AuditFacts) -> Iterator[Finding]:
        """What it finds."""
        for one in self.look(facts):
            yield Finding(
                id=self.text.id,
                severity=self.text.severity,
                of=one.of,
                title=one.title,
                where=one.where,
                found=one.found,
                cost=None if one.cost is None else _cost(one.cost),
                fix=self.text.fix,
            )


def rule(
    id: str, severity: Severity, what: str, *, fix: str, cost: str = ""
) -> Callable[[Callable[[AuditFacts], Iterator[Found]]], Rule]:
    """Makes a rule of the function below it."""
    text = RuleText(id=id, severity=severity, what=what, cost=cost, fix=fix)
    return lambda look: Rule(text, look)


def _cost(bound: Bound) -> Cost:
    return Cost(
        low_s=round(max(0.0, bound.low_s), 3), high_s=round(bound.high_s, 3), formula=bound.formula
    )
