"""The shape of a suite's file."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from quorate.harness.model.strict import Number, Strict

_Entries = Annotated[
    tuple[dict[str, Any], ...],
    BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value),
    Field(min_length=1),
]


class SuiteFile(Strict):
    """The whole file, read one level deep; run/suite.py says what it means."""

    format: Literal[1]
    title: Annotated[str, Field(min_length=1)]
    budget_s: Annotated[Number, Field(ge=0)] | None = None
    experiments: _Entries


class EntryFile(Strict):
    """One of its experiments: a path, from the suite's folder, and what it must come to."""

    file: str
    expect: Literal["MET", "MISSED", "INCONCLUSIVE"]
