"""A plan that was looked at and kept: what `quorate run --plan FILE` plays, or refuses to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from quorate.harness.model.fingerprint import Fingerprint, changes


class PlanFile(BaseModel):
    """``experiment``: its file's name; ``text``: all of it; ``bounds``: full name → at most, with
    those of the cluster's objectives.yaml in place; ``seed``: of every choice; ``targets``: word →
    nodes; ``undos``: "node: what it does", in the order in which they would be carried out;
    ``digest``: of all that stands before it, so that an edited file is known.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1]
    quorate: str
    experiment: Annotated[str, Field(min_length=1)]
    text: Annotated[str, Field(min_length=1)]
    bounds: dict[str, float]
    cluster: str
    seed: int
    targets: dict[str, list[str]]
    undos: list[str]
    fingerprint: Fingerprint
    digest: str = ""

    @property
    def sealed(self) -> PlanFile:
        """The same with the digest that it should have."""
        plain = self.model_dump(mode="json", exclude={"digest"})
        digest = hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()
        return self.model_copy(update={"digest": digest})


def differences(kept: PlanFile, now: PlanFile) -> tuple[str, ...]:
    """What a run would do otherwise now than was planned, a line each; pure."""
    return tuple(_differences(kept, now))


def _differences(kept: PlanFile, now: PlanFile) -> Iterator[str]:
    if kept.quorate != now.quorate:
        # What puts a fault on is code, and stands in no file.
        yield f"quorate {kept.quorate} → {now.quorate}"
    if kept.cluster != now.cluster:
        yield f"cluster {kept.cluster} → {now.cluster}"
    for name in sorted({*kept.bounds, *now.bounds}):
        before, after = kept.bounds.get(name), now.bounds.get(name)
        if before != after:
            yield f"bound {name}: {_number(before)} → {_number(after)}"
    for word in sorted({*kept.targets, *now.targets}):
        then, today = kept.targets.get(word, []), now.targets.get(word, [])
        if then != today:
            yield f"{word} {_names(then)} → {_names(today)}"
    if kept.targets == now.targets:  # else of course
        yield from (f"not undone any more: {one}" for one in kept.undos if one not in now.undos)
        yield from (f"also undone now: {one}" for one in now.undos if one not in kept.undos)
    if now.fingerprint.missing:
        yield f"what the cluster runs is not known: {'; '.join(now.fingerprint.missing)}"
    else:
        yield from changes(kept.fingerprint, now.fingerprint)


def _names(nodes: Sequence[str]) -> str:
    return ", ".join(nodes) or "nobody"


def _number(bound: float | None) -> str:
    return "none" if bound is None else f"{bound:g}"
