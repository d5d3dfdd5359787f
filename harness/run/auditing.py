"""`quorate audit`: what is wrong with the cluster before anything is broken. Changes nothing.

No lock and no Lease is taken; the cluster is only asked, and that of a run may be asked meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from quorate.harness.audit.auditing import audit
from quorate.harness.audit.catalogue import RULES
from quorate.harness.audit.facts import Terms
from quorate.harness.cluster.file import read_cluster
from quorate.harness.cluster.state import find_cluster
from quorate.harness.model.audit import Acceptance, Audit
from quorate.harness.run.audit_reading import read_audit_facts
from quorate.harness.run.opening import Parts
from quorate.harness.store.acceptance_file import read_acceptances
from quorate.reports.audit_junit import render_audit_junit
from quorate.reports.audit_sarif import render_audit_sarif
from quorate.reports.audit_text import render_audit

BACKUPS = ("/var/lib/etcd/snapshots/*", "/var/lib/etcd-backup/*", "/var/backups/etcd/*")
"""Where snapshots are looked for on the etcd nodes unless somebody says where they are."""

TEXTS = tuple(rule.text for rule in RULES)

FORMS: Mapping[str, Callable[[Audit], str]] = {
    "text": render_audit,
    "json": Audit.to_json,
    "junit": lambda found: render_audit_junit(found, TEXTS),
    "sarif": lambda found: render_audit_sarif(found, TEXTS),
}


def read_explained(files: Sequence[Path]) -> tuple[Acceptance, ...]:
    """The entries of all lists. SpecError."""
    known = {text.id for text in TEXTS}
    return tuple(one for file in files for one in read_acceptances(file, known=known))


def audit_cluster(
    cluster: Path | None,
    *,
    terms: Terms,
    explained: Sequence[Acceptance] = (),
    parts: Parts | None = None,
) -> Audit:
    """Look, and say what was found. SpecError and UsageError for what is told to be looked at;
    RefusedError and DriverError where not even a first question can be asked."""
    parts = parts or Parts()
    described = read_cluster(find_cluster(cluster))
    parts.enter(described)
    drivers = parts.connect(described)
    try:
        facts = read_audit_facts(drivers, now=datetime.now(UTC), terms=terms)
    finally:
        drivers.kube.close()
    return audit(facts, explained=explained)
