"""The catalogue of rules, its page, and the lab's list."""

from __future__ import annotations

import re
from pathlib import Path

from quorate.harness.audit.catalogue import RULES
from quorate.harness.model.audit import Severity
from quorate.harness.run.audit_table import page
from quorate.harness.run.auditing import FORMS, read_explained
from quorate.harness.verbs.audit import FORMATS
from tests.unit.audit.conftest import Lab

LIST = "harness/lab/audit-accepted.yaml"


def test_every_id_is_of_one_rule() -> None:
    ids = [rule.text.id for rule in RULES]
    assert len(ids) > 50
    assert len(set(ids)) == len(ids)


def test_the_page_is_current(root: Path) -> None:
    told = (root / "docs" / "audit.md").read_text()
    assert told == page(), "python -m quorate.harness.run.audit_table > docs/audit.md"


def test_every_module_of_rules_has_all_of_its_rules_in_the_catalogue(root: Path) -> None:
    """A rule that stands in no tuple would never be asked."""
    folder = root / "harness" / "audit"
    made = [
        id
        for file in sorted(folder.glob("*.py"))
        for id in re.findall(r'^@rule\(\n    "([a-z0-9-]+)"', file.read_text(), re.MULTILINE)
    ]
    assert sorted(made) == sorted(rule.text.id for rule in RULES)


def test_the_verb_offers_the_forms_that_there_are() -> None:
    assert set(FORMATS) == set(FORMS)


def test_the_lab_s_list_explains_all_that_a_healthy_lab_gives(root: Path, lab: Lab) -> None:
    lab.backups.clear()  # as in its first quarter of an hour
    found = lab.audit(explained=read_explained([root / LIST]))
    assert len(found.findings) == 2
    assert (found.open, found.unmatched, found.exit_code) == ((), (), 0)


def test_it_explains_nothing_worse(root: Path) -> None:
    blocking = {rule.text.id for rule in RULES if rule.text.severity is Severity.BLOCKING}
    assert not blocking & {one.id for one in read_explained([root / LIST])}
