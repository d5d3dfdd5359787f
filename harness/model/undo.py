"""The recorded way back from one fault or arrangement, as a frozen value.

An undo is data, written to disk before the act: any process that can read the run directory can
carry it out. Therefore it must be *idempotent and harmless if its fault was never put on*: the
harness may have died between the journal entry and the act, and an undo may be run twice.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Argv = Annotated[tuple[str, ...], Field(min_length=1)]
Seconds = Annotated[float, Field(gt=0, le=3600)]


def _is_pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"a regular expression ({error})") from None
    return text


class Undo(BaseModel):
    """One command that takes one thing back, and how to see that it is back.

    id -- unique in a run's journal; ``injection`` is the id of the fault or the arrangement's name.
    node, argv -- where and what to run; node "harness" is the machine quorate runs on.
    confirm_argv -- None: exit code 0 of ``argv`` is all there is to know. Else it is polled, on
        ``confirm_node`` (default: ``node``), for up to ``confirm_timeout_s`` seconds, until it
        ends with 0 and ``confirm_expect`` (a regular expression, searched, multi-line) is in its
        stdout. Confirmation decides: an ``argv`` that ended badly is fine if confirmed.
    timeout_s -- seconds that one try of ``argv`` may take before it is killed.
    text -- one sentence for people.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, Field(min_length=1)]
    injection: Annotated[str, Field(min_length=1)]
    node: Annotated[str, Field(min_length=1)]
    argv: Argv
    confirm_argv: Argv | None = None
    confirm_expect: Annotated[str, AfterValidator(_is_pattern)] | None = None
    confirm_node: str | None = None
    timeout_s: Seconds = 20.0
    confirm_timeout_s: Seconds = 30.0
    text: Annotated[str, Field(min_length=1)]
