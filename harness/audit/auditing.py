"""(facts, list of what is explained) → findings."""

from __future__ import annotations

from collections.abc import Sequence

from quorate.harness.audit.catalogue import RULES
from quorate.harness.audit.facts import AuditFacts
from quorate.harness.model.audit import Acceptance, Audit, Severity, accepted

ORDER = list(Severity)


def audit(facts: AuditFacts, *, explained: Sequence[Acceptance] = ()) -> Audit:
    """The gravest first, and within that in the catalogue's order."""
    found = [finding for rule in RULES for finding in rule.findings(facts)]
    found.sort(key=lambda one: ORDER.index(one.severity))
    unmatched = [one for one in explained if not any(map(one.explains, found))]
    return Audit(
        cluster=facts.cluster.name,
        looked=facts.now,
        findings=accepted(found, explained),
        unmatched=tuple(unmatched),
    )
