"""What an audit found, as frozen values; the shape of what ``quorate audit --json`` prints."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from quorate.harness.model.strict import Strict

RULE_ID = r"^[a-z0-9]+(-[a-z0-9]+)*$"


class Severity(StrEnum):
    """BLOCKING: not highly available, or not to be found out. WARNING: it costs more than it must.
    UNKNOWN: *we* could not tell; never a pass."""

    BLOCKING = "BLOCKING"
    WARNING = "WARNING"
    UNKNOWN = "UNKNOWN"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RuleText(_Frozen):
    """What is said of a rule. ``cost``: what its findings' seconds are of, empty where none have
    any."""

    id: Annotated[str, Field(pattern=RULE_ID)]
    severity: Severity
    what: str
    cost: str = ""
    fix: str


class Cost(_Frozen):
    """How long clients may wait, or the state may last: ``[low_s, high_s]``, and the formula with
    its numbers."""

    low_s: float
    high_s: float
    formula: str


class Finding(_Frozen):
    """One thing that is wrong, or that nobody could tell.

    ``of``: the node or object. ``where``: the file, flag or API object that says so, ``found``: the
    value there. ``accepted``: the reason of the entry that explains it, None where none does.
    """

    id: Annotated[str, Field(pattern=RULE_ID)]
    severity: Severity
    of: str
    title: str
    where: str
    found: str
    cost: Cost | None = None
    fix: str
    accepted: str | None = None


class Acceptance(Strict):
    """An entry of a list of explained findings. ``of`` may be a pattern (``cp*``, ``*``)."""

    id: Annotated[str, Field(pattern=RULE_ID)]
    of: Annotated[str, Field(min_length=1)]
    reason: Annotated[str, Field(min_length=1)]

    def explains(self, finding: Finding) -> bool:
        """Whether it is about this finding."""
        return self.id == finding.id and fnmatchcase(finding.of, self.of)


class AcceptanceFile(Strict):
    """A list of explained findings, as ``quorate audit --accept`` reads it."""

    format: Literal[1]
    accepted: list[Acceptance]


class Audit(_Frozen):
    """The whole. ``unmatched``: entries of the list that explain nothing that was found."""

    format: Literal[1] = 1
    cluster: str
    looked: datetime
    findings: tuple[Finding, ...]
    unmatched: tuple[Acceptance, ...] = ()

    @property
    def open(self) -> tuple[Finding, ...]:
        """What no entry explains."""
        return tuple(one for one in self.findings if one.accepted is None)

    def count(self, severity: Severity) -> int:
        """How many of the open ones are of this severity."""
        return sum(one.severity is severity for one in self.open)

    @property
    def exit_code(self) -> int:
        """1 where one blocks, else 3 where one could not be told, else 0."""
        if self.count(Severity.BLOCKING):
            return 1
        return 3 if self.count(Severity.UNKNOWN) else 0

    def to_json(self) -> str:
        """Sorted keys, two spaces, a newline at the end."""
        data = self.model_dump(mode="json")
        return json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def accepted(findings: Iterable[Finding], entries: Iterable[Acceptance]) -> tuple[Finding, ...]:
    """The findings, each with the reason of the first entry that explains it."""
    listed = tuple(entries)
    made = []
    for finding in findings:
        reason = next((one.reason for one in listed if one.explains(finding)), None)
        made.append(finding.model_copy(update={"accepted": reason}))
    return tuple(made)
