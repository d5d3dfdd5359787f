"""What a run says: MET, MISSED or INCONCLUSIVE, and all that this rests on.

Units: times and lengths in seconds, to six decimals; times count from the run's base.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict

FORMAT = 1


class State(enum.StrEnum):
    """Answer to one question, or to all of a run."""

    MET = "MET"
    MISSED = "MISSED"
    INCONCLUSIVE = "INCONCLUSIVE"


def merge(states: Iterable[State]) -> State:
    """MISSED > INCONCLUSIVE > MET; no state at all is INCONCLUSIVE: no data is never a pass."""
    found = set(states)
    if State.MISSED in found:
        return State.MISSED
    if State.INCONCLUSIVE in found or not found:
        return State.INCONCLUSIVE
    return State.MET


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ObjectiveResult(_Frozen):
    """One objective and the number that was found.

    ``value`` is the measured number, the true one lies in [``low``, ``high``]; None: not measured.
    ``at`` is the interval that the number is about. ``censored``: it had not ended when the data
    ended, so it is a lower bound. ``of`` are the probes asked. ``guard``: this is ``abort_when``.
    """

    indicator: str
    of: tuple[str, ...]
    during: str
    deadline_s: float | None
    bound: float
    value: float | None
    low: float | None
    high: float | None
    unit: str
    state: State
    censored: bool = False
    guard: bool = False
    at: tuple[float, float] | None = None
    reason: str = ""


class Gate(_Frozen):
    """A condition without which a run answers nothing; ``reason`` says why it holds or not."""

    name: str
    ok: bool
    reason: str


class ComponentChange(_Frozen):
    """A component's state changed at ``t``; ``after_s`` counts from the injection."""

    t: float
    after_s: float
    component: str
    node: str | None
    at: str | None = None
    state: str
    good: bool | None


class Story(_Frozen):
    """What happened, in order. ``outage`` is the longest one of the first objective's probe."""

    injected_at: float | None = None
    faulted_nodes: tuple[str, ...] = ()
    vip_holder_before: str | None = None
    etcd_leader_before: str | None = None
    holder_led_etcd: bool | None = None
    outage: tuple[float, float] | None = None
    outage_of: str | None = None
    components: tuple[ComponentChange, ...] = ()
    last_component_for_clients: str | None = None
    last_component_for_whole: str | None = None
    whole_at: float | None = None


class PredictionResult(_Frozen):
    """A bound that the live configuration implies, and whether the measured outage lies in it.

    ``inside`` compares the outage with [``low_s`` − ``tolerance_s``, ``high_s`` + ``tolerance_s``];
    None where no outage was measured or where this is one component's part only.
    """

    what: str
    component: str | None
    low_s: float
    high_s: float
    formula: str
    measured_s: float | None = None
    tolerance_s: float | None = None
    inside: bool | None = None


class SafetyCheck(_Frozen):
    """One question about what the cluster acknowledged or agreed on; ``reason`` says on what the
    answer rests, or what is wrong, or what is not known."""

    name: str
    state: State
    reason: str


class Verdict(_Frozen):
    """The whole answer. Two verdicts of one run directory are equal byte for byte.

    ``data_safety``: None, and left out of what is written, for a run from before there was a
    ledger.
    """

    format: int = FORMAT
    run_id: str
    title: str
    verdict: State
    arrangements: tuple[str, ...] = ()
    objectives: tuple[ObjectiveResult, ...]
    gates: tuple[Gate, ...]
    data_safety: tuple[SafetyCheck, ...] | None = None
    story: Story
    predicted: tuple[PredictionResult, ...] = ()
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """Plain lists, mappings and scalars; what verdict.json holds."""
        without = {"data_safety"} if self.data_safety is None else None
        return self.model_dump(mode="json", exclude=without)

    def to_json(self) -> str:
        """The text of verdict.json: sorted keys, two spaces, a newline at the end."""
        return json.dumps(self.to_dict(), sort_keys=True, indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Verdict:
        """The reverse of ``to_json``; raises ValueError on anything else."""
        return cls.model_validate_json(text)
