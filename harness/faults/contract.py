"""What a fault is: data before acting, an act, and proofs that do not believe the act.

One life, played by harness/run: prepare → undos (journalled) → acts → proof → … → undo → undone.
A fault states *what* to run and *how to see*; it never runs its own act and never undoes itself,
so that no fault can forget to. For every undo that is carried out on a cluster node, the injector
arms a dead man's switch on that node before the act; a fault need not care.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.model.cluster import Cluster, Role
from quorate.harness.model.touch import Touch
from quorate.harness.model.undo import Undo

LONGEST_S = 1800.0
"""Of a duration that an experiment gives: what is on stays on for so long at worst, and the
waits that follow from it must fit where an undo takes them."""

LONGEST_LOOK_S = 8 * 3600.0
"""Of a watch: where nothing is on, nothing waits to be undone."""


@dataclass(frozen=True)
class Parameter:
    """One argument of a fault as an experiment writes it; no default means required."""

    name: str
    type: type
    default: object = ...
    text: str = ""
    words: tuple[str, ...] = ()
    """The values allowed, where they are words."""
    longest_s: float = LONGEST_S
    """The most that a duration may be."""


@dataclass(frozen=True)
class Act:
    """One command that puts the fault on. `node` may be "harness"."""

    node: str
    argv: tuple[str, ...]
    timeout_s: float = 20.0

    def to_dict(self) -> dict[str, object]:
        """As a run's events keep it, for whoever reads what was done to the cluster."""
        return {"node": self.node, "argv": list(self.argv)}


@dataclass(frozen=True)
class Proof:
    """What was seen, in one sentence, and whether it shows what it should."""

    ok: bool
    evidence: str
    facts: Mapping[str, object] = field(default_factory=dict)
    """What an indicator is to judge by (a drain's leftovers); stored with the proof."""


@dataclass(frozen=True)
class Plan:
    """One injection: what, where, and what was so before (a boot id, a container's start).

    Of an arrangement: `injection` is its name, `nodes` is empty, `before` is what its `prepare`
    returned.
    """

    injection: str
    nodes: tuple[str, ...]
    arguments: Mapping[str, object] = field(default_factory=dict)
    before: Mapping[str, str] = field(default_factory=dict)
    mark: str = "0-0"
    """Names everything of ours on a node (`mark_of`): `quorate-<mark>…`, /run/quorate/<mark>/."""
    deadline_s: float = 0.0
    """Seconds after arming, just before the act, at which the dead man's switch undoes it."""
    vip_holder: str | None = None
    """The node that held the VIP just before."""

    @property
    def unit(self) -> str:
        """Beginning of the names of our units and of nothing else's."""
        return f"quorate-{self.mark}"

    @property
    def word(self) -> str:
        """The same as one word of letters, digits and _, as nft tables are named."""
        return f"quorate_{self.mark.replace('-', '_')}"

    @property
    def folder(self) -> str:
        """Where our files may lie on a node; gone with a reboot."""
        return f"/run/quorate/{self.mark}"


MARK_CHARACTERS = 40


def mark_of(run_id: str, injection: str) -> str:
    """What carries everything that one injection leaves on a node: letters, digits and dashes.

    Time of day and the random end of the run's id, then the injection; at most 40 characters, so
    that `quorate-<mark>` fits where systemd, nft and Kubernetes labels take names.
    """
    match = re.fullmatch(r"\d{8}T(\d{6})Z-.*-([0-9a-f]+)", run_id)
    run = "-".join(match.groups()) if match else run_id[-11:]
    run = re.sub(r"[^a-z0-9]+", "-", run.lower()).strip("-")
    what = re.sub(r"[^a-z0-9]+", "-", injection.lower()).strip("-")
    left = MARK_CHARACTERS - len(run) - 1
    if len(what) > left:
        head, _, number = what.rpartition("-")
        what = f"{head[: left - len(number) - 1].rstrip('-')}-{number}"
    return f"{run}-{what}"


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
    stops_api: ClassVar[bool] = False
    """Whether the API servers of the faulted nodes stop serving (for the same)."""
    switch_margin_s: ClassVar[float] = 30.0
    """How long after the watch's `at_most_s` the dead man's switch goes off. About 0 for a fault
    that also cuts the harness off: there the switch is the ordinary way back, and the undo's
    confirmation waits for it (`confirm_timeout_s` above `plan.deadline_s`)."""
    ended_by_switch: ClassVar[bool] = False
    """Whether the switch is the ordinary way back. Of every other fault, one that has gone off
    before the undo means that the fault was not on for as long as it was watched."""
    touches: ClassVar[Touch | None] = None
    """What it does to the cluster, in the words that predictions rest on."""
    proof_timeout_s: ClassVar[float] = 15.0

    @abstractmethod
    def prepare(
        self, drivers: Drivers, *, nodes: Sequence[str], arguments: Mapping[str, object]
    ) -> Mapping[str, str]:
        """Check that the fault can be put on here; return what must be remembered of before.

        `arguments` are all that the experiment gave, defaults filled in. Changes nothing.
        RefusedError names the node, what it lacks and the remedy.
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

    def members_lost(
        self, cluster: Cluster, *, nodes: Sequence[str], arguments: Mapping[str, object]
    ) -> Sequence[str]:
        """The nodes whose etcd members do not count for the quorum while the fault is on.

        Overridden where arguments decide (the smaller side of a partition).
        """
        members = {node.name for node in cluster.with_role(Role.ETCD)}
        return [node for node in nodes if self.stops_members and node in members]

    def links_lost(
        self, cluster: Cluster, *, nodes: Sequence[str], arguments: Mapping[str, object]
    ) -> Collection[tuple[str, str]]:
        """(sender, receiver) among etcd's members that run on and lose one another by it.

        Where there are any, they are what counts, since another fault may take the hub of what
        still is a majority here; `members_lost` is then what follows when nothing else is broken.
        """
        return ()

    def touch(self, arguments: Mapping[str, object]) -> Touch | None:
        """`touches`; overridden where arguments decide. None: nothing can be predicted."""
        return self.touches

    @abstractmethod
    def undone(self, drivers: Drivers, *, plan: Plan) -> Proof:
        """One look, after the undo was confirmed, at whether the fault is off and *had* been on."""


class Arrangement(ABC):
    """A known worse state, put on before the baseline (`given:`) and taken back at the end."""

    name: ClassVar[str]
    summary: ClassVar[str]
    proof_timeout_s: ClassVar[float] = 10.0
    parameters: ClassVar[tuple[Parameter, ...]] = ()
    """What an experiment may say of it, each with a default: `{name: {argument: value}}`."""
    voids_acts: ClassVar[bool] = False
    """Whether each fault's act is replaced by `true`: what is left must be INCONCLUSIVE."""

    def prepare(self, drivers: Drivers, *, arguments: Mapping[str, object]) -> Mapping[str, str]:
        """What must be remembered of before (a number of replicas); changes nothing.

        `arguments` are all that the experiment gave, defaults filled in.
        """
        return {}

    @abstractmethod
    def undos(self, drivers: Drivers, *, plan: Plan) -> Sequence[Undo]:
        """The way back as data. `plan.vip_holder` is the node that holds the VIP now."""

    @abstractmethod
    def acts(self, drivers: Drivers, *, plan: Plan) -> Sequence[Act]:
        """The commands that make the state."""

    @abstractmethod
    def proof(self, drivers: Drivers, *, plan: Plan) -> Proof:
        """Whether the state is there now."""
