"""Target words → nodes; pure. Resolved once, from facts that are written down beside the answer."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from quorate.harness.errors import RefusedError
from quorate.harness.faults.catalogue import FAULTS
from quorate.harness.model.cluster import Cluster, Node, Role
from quorate.harness.model.experiment import Experiment


@dataclass(frozen=True)
class Facts:
    """Who was what when the words were resolved; None where nobody or nobody known was."""

    vip_holder: str | None
    etcd_leader: str | None

    def to_dict(self) -> dict[str, str | None]:
        return {"vip_holder": self.vip_holder, "etcd_leader": self.etcd_leader}


@dataclass(frozen=True)
class Targets:
    """The nodes of every target word of an experiment, and the facts that they rest on."""

    nodes: Mapping[str, tuple[str, ...]]
    facts: Facts
    cluster: Cluster
    seed: int

    @classmethod
    def resolve(
        cls, experiment: Experiment, *, cluster: Cluster, facts: Facts, seed: int
    ) -> Targets:
        """All words; RefusedError for one that matches nothing or breaks the quorum."""
        words = dict.fromkeys(str(step.arguments["target"]) for step in experiment.faults)
        nodes = {word: resolve(word, cluster=cluster, facts=facts, seed=seed) for word in words}
        down: set[str] = set()
        for step in experiment.method:
            if step.kind == "undo":
                down.clear()
            if step.kind == "fault" and FAULTS[step.func].stops_members:
                down.update(nodes[str(step.arguments["target"])])
                check_quorum(cluster, down=sorted(down))
        return cls(nodes, facts, cluster, seed)

    def moved(self, word: str, *, facts: Facts) -> Targets | None:
        """These targets with `word` resolved anew, where what it rests on is no longer so."""
        if set(self.nodes[word]) <= set(candidates(word, cluster=self.cluster, facts=facts)):
            return None
        again = resolve(word, cluster=self.cluster, facts=facts, seed=self.seed)
        return replace(self, nodes={**self.nodes, word: again}, facts=facts)


def candidates(word: str, *, cluster: Cluster, facts: Facts) -> list[str]:
    """All nodes that a target word may stand for. RefusedError for a word that is not known."""
    if word.startswith("node:"):
        return [_named(word.removeprefix("node:"), cluster)]
    if word not in _WORDS:
        raise RefusedError(f"target {word!r} is not known; allowed: {', '.join(target_words())}")
    return [name for name in _WORDS[word](cluster, facts) if name is not None]


def resolve(word: str, *, cluster: Cluster, facts: Facts, seed: int) -> tuple[str, ...]:
    """The node that a target word stands for; one of many is picked by `seed`, repeatably.

    RefusedError for a word that is not known or that matches nothing.
    """
    found = candidates(word, cluster=cluster, facts=facts)
    if not found:
        raise RefusedError(f"target {word!r} matches no node: {_why(facts)}")
    # Not a secret but a choice that can be repeated.
    return (random.Random(f"{seed}:{word}").choice(found),)


def target_words() -> tuple[str, ...]:
    """The words, as a refusal lists them."""
    return (*_WORDS, "node:<name>")


def check_quorum(cluster: Cluster, *, down: Sequence[str]) -> None:
    """Refuse to take more etcd members down at once than the cluster tolerates.

    n members need n // 2 + 1 (etcd FAQ). RefusedError gives the arithmetic.
    """
    members = [node.name for node in cluster.with_role(Role.ETCD)]
    hit = [name for name in members if name in down]
    left, needed = len(members) - len(hit), len(members) // 2 + 1
    if hit and left < needed:
        raise RefusedError(
            f"{', '.join(hit)} down leaves {left} of {len(members)} etcd members, quorum needs "
            f"{needed}: beyond what this cluster tolerates"
        )


def _named(name: str, cluster: Cluster) -> str:
    try:
        return cluster.node(name).name
    except KeyError:
        known = ", ".join(node.name for node in cluster.nodes)
        raise RefusedError(f"target 'node:{name}': there are {known}") from None


def _names(nodes: Sequence[Node], but: str | None = None) -> list[str | None]:
    return [node.name for node in nodes if node.name != but]


_WORDS: Mapping[str, Callable[[Cluster, Facts], Sequence[str | None]]] = {
    "vip-holder": lambda cluster, facts: [facts.vip_holder],
    "etcd-leader": lambda cluster, facts: [facts.etcd_leader],
    "etcd-follower": lambda cluster, facts: (
        _names(cluster.with_role(Role.ETCD), but=facts.etcd_leader) if facts.etcd_leader else []
    ),
    "control-plane:any": lambda cluster, facts: _names(cluster.control_planes),
    "control-plane:not-vip-holder": lambda cluster, facts: (
        _names(cluster.control_planes, but=facts.vip_holder) if facts.vip_holder else []
    ),
    "worker:any": lambda cluster, facts: _names(cluster.workers),
}


def _why(facts: Facts) -> str:
    return (
        f"the VIP is held by {facts.vip_holder or 'nobody'}, "
        f"etcd is led by {facts.etcd_leader or 'nobody'}"
    )
