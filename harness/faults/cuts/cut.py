"""A fault that loses packets by nftables on one node or more: all that such faults share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.nftables import LIST_ARGV, Drop, Ruleset, absent_pattern, remove_argv
from quorate.harness.faults.contract import Act, Fault, Plan, Proof
from quorate.harness.faults.machines.boots import boot_id_before, boot_ids
from quorate.harness.model.undo import Undo


class Cut(Fault):
    """Subclasses say what each node loses (`rulesets`) and what shows it from elsewhere (`seen`).

    The rest is the same for all: a table of the injection's own on each node; the kernel's count of
    what it dropped, as part of the proof; and that count, kept in the node's log when the table is
    taken off, as the proof that it had been on.
    """

    undone_by: ClassVar[str] = "nft delete table, confirmed by the list of tables"
    without_harness: ClassVar[str] = (
        "the guardian; without it, the dead man's switch on each node; a reboot"
    )

    @abstractmethod
    def rulesets(self, drivers: Drivers, *, plan: Plan) -> Mapping[str, Ruleset]:
        """What each node concerned is to lose."""

    @abstractmethod
    def seen(self, drivers: Drivers, *, plan: Plan) -> Proof:
        """One look at what the cut does, from where the rules are not: members, peers, clients."""

    def undos(self, drivers: Drivers, *, plan: Plan) -> Sequence[Undo]:
        return [
            Undo(
                id=f"{plan.injection}:{node}",
                injection=plan.injection,
                node=node,
                argv=remove_argv(plan.word),
                confirm_argv=LIST_ARGV,
                confirm_expect=absent_pattern(plan.word),
                text=f"delete the nft tables {plan.word} on {node}",
            )
            for node in self.rulesets(drivers, plan=plan)
        ]

    def acts(self, drivers: Drivers, *, plan: Plan) -> Sequence[Act]:
        rulesets = self.rulesets(drivers, plan=plan)
        return [Act(node, ruleset.argv()) for node, ruleset in rulesets.items()]

    def proof(self, drivers: Drivers, *, plan: Plan) -> Proof:
        counts = {}
        for node in self.rulesets(drivers, plan=plan):
            lost = drivers.nftables.lost(node, plan.word)
            if lost is None:
                return Proof(False, f"{node} has no table {plan.word}")
            counts[node] = lost
        if not all(counts.values()):
            idle = ", ".join(node for node, lost in counts.items() if not lost)
            return Proof(False, f"nothing was dropped yet on {idle}")
        seen = self.seen(drivers, plan=plan)
        told = ", ".join(f"{lost} packets dropped on {node}" for node, lost in counts.items())
        return Proof(seen.ok, f"{seen.evidence}; {told}")

    def undone(self, drivers: Drivers, *, plan: Plan) -> Proof:
        told = []
        for node in self.rulesets(drivers, plan=plan):
            if drivers.nftables.lost(node, plan.word) is not None:
                return Proof(False, f"{node} still has the table {plan.word}")
            before, now = boot_id_before(plan, node), drivers.machine.boot_id(node)
            if now is not None and now != before:
                told.append(f"{node} was rebooted, which no rule outlives")
                continue
            dropped = drivers.nftables.had_lost(node, plan.word)
            if not dropped:
                return Proof(False, f"no table is on {node}, and nothing tells that one ever was")
            told.append(f"the table is off {node}, after {dropped} packets dropped")
        return Proof(True, ", ".join(told))


def look(drivers: Drivers, *, nodes: Sequence[str], to: Sequence[str]) -> dict[str, str]:
    """What every cut must know of its nodes before: their links to these addresses, this boot.

    RefusedError where nft cannot be used on one of them, or it does not tell its boot id.
    """
    links = {}
    for node in nodes:
        drivers.nftables.check(node)
        links[f"links:{node}"] = " ".join(drivers.nftables.links(node, to=to))
    return {**links, **boot_ids(drivers, nodes=nodes)}


def others(drivers: Drivers, but: Sequence[str]) -> list[str]:
    """The addresses of all nodes but these."""
    return [node.address for node in drivers.cluster.nodes if node.name not in but]


def ruleset(
    plan: Plan,
    node: str,
    drops: Sequence[Drop],
    *,
    arp: str | None = None,
    expires_s: float | None = None,
) -> Ruleset:
    """The table of an injection on one node, on the links that `look` found."""
    links = tuple(plan.before[f"links:{node}"].split())
    return Ruleset(plan.word, links, tuple(drops), arp=arp, expires_s=expires_s)
