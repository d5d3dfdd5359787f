"""A plan that was looked at and kept: what `quorate run --plan FILE` plays, or refuses to."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from quorate.harness.model.fingerprint import Fingerprint


class PlanFile(BaseModel):
    """``text``: the experiment, whole; ``seed``: of every choice; ``targets``: word → nodes;
    ``undos``: "node: what it does", in the order in which they would be carried out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1]
    quorate: str
    experiment: Annotated[str, Field(min_length=1)]
    text: Annotated[str, Field(min_length=1)]
    cluster: str
    seed: Annotated[int, Field(ge=0)]
    targets: dict[str, list[str]]
    undos: list[str]
    fingerprint: Fingerprint
