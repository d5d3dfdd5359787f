"""What a fault is: data before acting, an act, and proofs that do not believe the act.

One life, played by harness/run: prepare → undos (journalled) → acts → proof → … → undo → undone.
A fault states *what* to run and *how to see*; it never runs its own act and never undoes itself,
so that no fault can forget to.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.model.undo import Undo


@dataclass(frozen=True)
class Parameter:
    """One argument of a fault as an experiment writes it; no default means required."""

    name: str
    type: type
    default: object = ...
    text: str = ""
    words: tuple[str, ...] = ()
    """The values allowed, where they are words."""


@dataclass(frozen=True)
class Act:
    """One command that puts the fault on. `node` may be "harness"."""

    node: str
    argv: tuple[str, ...]
    timeout_s: float = 20.0


@dataclass(frozen=True)
class Proof:
    """What was seen, in one sentence, and whether it shows what it should."""

    ok: bool
    evidence: str


@dataclass(frozen=True)
class Plan:
    """One injection: what, where, and what was so before (a boot id, a container's start)."""

    injection: str
    nodes: tuple[str, ...]
    arguments: Mapping[str, object] = field(default_factory=dict)
    before: Mapping[str, str] = field(default_factory=dict)


class Fault(ABC):
    """One way to break things. Subclasses are stateless: all that they know is in the Plan."""

    name: ClassVar[str]
    """`<target>_<verb>`, the same in YAML, module, test and report."""
    summary: ClassVar[str]
    """One sentence: what breaks, as an operator would say it."""
    acts_by: ClassVar[str]
    proved_by: ClassVar[str]
    undone_by: ClassVar[str]
    without_harness: ClassVar[str]
    """What takes it off when the harness has died. These four are the catalogue's table."""
    parameters: ClassVar[tuple[Parameter, ...]] = ()
    """Arguments beside `target`, `watch_until` and `at_most_s`, which every fault has."""
    stops_members: ClassVar[bool] = False
    """Whether the faulted nodes stop counting for etcd's quorum (for the safety arithmetic)."""
    silences_node: ClassVar[bool] = False
    """Whether the faulted machines answer nothing from then on: what the prediction rests on."""
    proof_timeout_s: ClassVar[float] = 15.0

    @abstractmethod
    def prepare(self, drivers: Drivers, *, nodes: Sequence[str]) -> Mapping[str, str]:
        """Check that the fault can be put on here; return what must be remembered of before.

        Changes nothing. RefusedError names the node, what it lacks and the remedy.
        """

    @abstractmethod
    def undos(self, drivers: Drivers, *, plan: Plan) -> Sequence[Undo]:
        """The way back as data; harmless where the act never happened."""

    @abstractmethod
    def acts(self, drivers: Drivers, *, plan: Plan) -> Sequence[Act]:
        """The commands that put the fault on, in order."""

    @abstractmethod
    def proof(self, drivers: Drivers, *, plan: Plan) -> Proof:
        """One look at whether the fault bites now; asked again until ok or `proof_timeout_s`."""

    @abstractmethod
    def undone(self, drivers: Drivers, *, plan: Plan) -> Proof:
        """One look, after the undo was confirmed, at whether the fault is off and *had* been on."""


class Arrangement(ABC):
    """A known worse state, put on before the baseline (`given:`) and taken back at the end."""

    name: ClassVar[str]
    summary: ClassVar[str]
    voids_acts: ClassVar[bool] = False
    """Whether each fault's act is replaced by `true`: what is left must be INCONCLUSIVE."""

    @abstractmethod
    def undos(self, drivers: Drivers, *, holder: str | None) -> Sequence[Undo]:
        """The way back as data. `holder` is the node that holds the VIP now."""

    @abstractmethod
    def acts(self, drivers: Drivers, *, holder: str | None) -> Sequence[Act]:
        """The commands that make the state."""

    @abstractmethod
    def proof(self, drivers: Drivers, *, holder: str | None) -> Proof:
        """Whether the state is there now."""
