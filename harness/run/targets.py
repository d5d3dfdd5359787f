"""Target words → nodes; pure. Resolved once, from facts that are written down beside the answer."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from quorate.harness.errors import RefusedError
from quorate.harness.model.cluster import Cluster, Node, Role
from quorate.harness.model.experiment import Experiment
from quorate.harness.run.limits import check_limits

NODE = "node:"
RUNNING = "worker:running="
LEASES: Mapping[str, str] = {
    "scheduler-leader": "kube-scheduler",
    "controller-manager-leader": "kube-controller-manager",
}
"""Target word → the lease whose holder it stands for."""


@dataclass(frozen=True)
class Facts:
    """Who was what when the words were resolved; None where nobody or nobody known was."""

    vip_holder: str | None
    etcd_leader: str | None
    running: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Label selector → the nodes on which pods that match it run."""

    leases: Mapping[str, str | None] = field(default_factory=dict)
    """Word of LEASES → the node that holds that lease."""

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
        """All words; RefusedError for one that matches nothing or breaks more than is allowed.

        A word about pods that are only arranged for later (`given:`) stands for nobody yet.
        """
        nodes: dict[str, tuple[str, ...]] = {}
        for word in words_of(experiment):
            late = bool(experiment.given) and selector_of(word) is not None
            if late and not candidates(word, cluster=cluster, facts=facts):
                nodes[word] = ()
            else:
                nodes[word] = resolve(word, cluster=cluster, facts=facts, seed=seed)
        check_limits(experiment, cluster=cluster, nodes=nodes)
        return cls(nodes, facts, cluster, seed)

    def moved(self, word: str, *, experiment: Experiment, facts: Facts) -> Targets | None:
        """These targets with `word` resolved anew, where what it rests on is no longer so.

        RefusedError where it matches nothing any more, or would now break more than is allowed.
        """
        now = candidates(word, cluster=self.cluster, facts=facts)
        if self.nodes[word] and set(self.nodes[word]) <= set(now):
            return None
        again = resolve(word, cluster=self.cluster, facts=facts, seed=self.seed)
        nodes = {**self.nodes, word: again}
        check_limits(experiment, cluster=self.cluster, nodes=nodes)
        return replace(self, nodes=nodes, facts=facts)


def words_of(experiment: Experiment) -> tuple[str, ...]:
    """The target words of an experiment's faults, in order, each once."""
    return tuple(dict.fromkeys(str(step.arguments["target"]) for step in experiment.faults))


def selector_of(word: str) -> str | None:
    """The label selector of `worker:running=<selector>`; None for any other word."""
    return word.removeprefix(RUNNING) if word.startswith(RUNNING) else None


def candidates(word: str, *, cluster: Cluster, facts: Facts) -> list[str]:
    """All nodes that a target word may stand for. RefusedError for a word that is not known."""
    if word.startswith(NODE):
        return [_named(name, cluster) for name in word.removeprefix(NODE).split(",")]
    if word.startswith(RUNNING):
        running = facts.running.get(word.removeprefix(RUNNING), ())
        return [node.name for node in cluster.workers if node.name in running]
    if word in _ALL:
        return [node.name for node in _ALL[word](cluster)]
    if word in LEASES:
        return [node.name for node in cluster.nodes if node.name == facts.leases.get(word)]
    if word not in _WORDS:
        raise RefusedError(f"target {word!r} is not known; allowed: {', '.join(target_words())}")
    return [name for name in _WORDS[word](cluster, facts) if name is not None]


def resolve(word: str, *, cluster: Cluster, facts: Facts, seed: int) -> tuple[str, ...]:
    """The nodes that a target word stands for; one of many is picked by `seed`, repeatably.

    More than one for `…:all` and `node:a,b` only. RefusedError for a word that is not known or
    that matches nothing.
    """
    found = candidates(word, cluster=cluster, facts=facts)
    if not found:
        raise RefusedError(f"target {word!r} matches no node: {_why(word, facts)}")
    if word in _ALL or word.startswith(NODE):
        return tuple(dict.fromkeys(found))
    # Not a secret but a choice that can be repeated.
    return (random.Random(f"{seed}:{word}").choice(found),)


def target_words() -> tuple[str, ...]:
    """The words, as a refusal lists them."""
    return (*_WORDS, *LEASES, f"{RUNNING}<selector>", *_ALL, f"{NODE}<name>[,<name>…]")


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


_ALL: Mapping[str, Callable[[Cluster], Sequence[Node]]] = {
    "control-plane:all": lambda cluster: cluster.control_planes,
    "etcd:all": lambda cluster: cluster.with_role(Role.ETCD),
    "worker:all": lambda cluster: cluster.workers,
}


def _why(word: str, facts: Facts) -> str:
    if selector_of(word) is not None:
        return "no worker runs a pod with these labels"
    return (
        f"the VIP is held by {facts.vip_holder or 'nobody'}, "
        f"etcd is led by {facts.etcd_leader or 'nobody'}"
    )
