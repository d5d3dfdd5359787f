"""What a run says: MET, MISSED or INCONCLUSIVE, and all that this rests on.

Units: times and lengths in seconds, to six decimals; times count from the run's base.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Iterable, Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from quorate.harness.model.bounds import OWN
from quorate.harness.model.rescheduling import Rescheduling

FORMAT: Literal[1] = 1


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
    ended, so it is a lower bound. ``of`` are the probes asked, or the owner of the pods.
    ``guard``: this is ``abort_when``.
    ``bound`` is what was judged: the one in ``bounds`` (source → bound) that ``judged_by`` names.
    """

    indicator: str
    of: tuple[str, ...]
    during: str
    deadline_s: float | None
    bound: float
    bounds: Mapping[str, float] = Field(default_factory=dict)
    judged_by: str = OWN
    value: float | None
    low: float | None
    high: float | None
    unit: str
    state: State
    censored: bool = False
    guard: bool = False
    at: tuple[float, float] | None = None
    reason: str = ""


class Guard(_Frozen):
    """``abort_when``: at an outage of more than ``bound`` seconds everything was to be undone.

    ``bounds`` and ``judged_by`` as in an objective; ``tripped_at``: None where it did not trip.
    """

    of: str
    deadline_s: float
    bound: float
    bounds: Mapping[str, float]
    judged_by: str
    tripped_at: float | None


class Rung(_Frozen):
    """What one probe saw in the fault phase, judged at one deadline.

    ``failed``: no good answer however long it was waited for. ``slow``: a good one, but after the
    deadline. ``weighted_s``: the failed fraction summed over time. ``scattered``: a part of the
    requests failed throughout, and the lengths of outages say little. ``censored``: the last
    outage had not ended when the data ended.
    """

    probe: str
    deadline_s: float
    samples: int
    failed: int
    slow: int
    unknown: int
    outages: int
    longest_s: float
    total_s: float
    weighted_s: float
    censored: bool
    scattered: bool


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
    """What happened, in order.

    ``outage`` is the longest one of the first objective's probe; ``scattered``: it is one of many
    failures here and there, and clients were not shut out all that time.
    """

    injected_at: float | None = None
    faulted_nodes: tuple[str, ...] = ()
    vip_holder_before: str | None = None
    etcd_leader_before: str | None = None
    holder_led_etcd: bool | None = None
    outage: tuple[float, float] | None = None
    outage_of: str | None = None
    scattered: bool = False
    components: tuple[ComponentChange, ...] = ()
    last_component_for_clients: str | None = None
    last_component_for_whole: str | None = None
    whole_at: float | None = None


SETTLED = "settled_s"
"""What is predicted of a component: from the fault until it has done its part."""


class PredictionResult(_Frozen):
    """A bound that the live configuration implies, and whether what was measured lies in it.

    ``what`` is an objective's indicator, then ``of``, ``during`` and ``deadline_s`` are as it has
    them, or ``settled_s`` of a ``component``. [``low``, ``high``] in ``unit`` by ``formula``; None
    where nothing can be predicted, and ``reason`` says why. The true number of what was
    ``measured`` lies in ``between``; ``inside`` says whether that meets [``low`` − ``tolerance``,
    ``high`` + ``tolerance``], None where nothing was measured. Where clients were out for another
    time than predicted, ``last`` is the component that came back last before they did.
    """

    what: str
    of: tuple[str, ...] = ()
    during: str = "fault"
    deadline_s: float | None = None
    component: str | None = None
    low: float | None = None
    high: float | None = None
    unit: str = "s"
    formula: str = ""
    reason: str = ""
    measured: float | None = None
    between: tuple[float, float] | None = None
    tolerance: float | None = None
    inside: bool | None = None
    last: str | None = None

    def as_predicted(self) -> dict[str, object]:
        """All but what came of it; the data of an event of kind ``prediction``."""
        found = {"measured", "between", "tolerance", "inside", "last"}
        return self.model_dump(mode="json", exclude=found)


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

    format: Literal[1] = FORMAT
    run_id: str
    title: str
    verdict: State
    arrangements: tuple[str, ...] = ()
    objectives: tuple[ObjectiveResult, ...]
    guard: Guard | None = None
    clients: tuple[Rung, ...] = ()
    gates: tuple[Gate, ...]
    data_safety: tuple[SafetyCheck, ...] | None = None
    story: Story
    predicted: tuple[PredictionResult, ...] = ()
    rescheduling: tuple[Rescheduling, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def unsafe(self) -> tuple[str, ...]:
        """The checks of data safety that were MISSED, each with its reason."""
        checks = self.data_safety or ()
        return tuple(f"{one.name}: {one.reason}" for one in checks if one.state is State.MISSED)

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
