"""The vantages of a run that are not beside the harness: which node, and the samplers there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import NamedTuple

from quorate.harness.drivers.sampler_pod import SamplerPodDriver
from quorate.harness.errors import RefusedError
from quorate.harness.faults.contract import mark_of
from quorate.harness.model.cluster import Cluster, Node
from quorate.harness.model.experiment import Experiment
from quorate.harness.model.probe_plan import ProbePlan
from quorate.harness.sampling.far import FarSampler
from quorate.harness.sampling.node import Hold, NodeSampler
from quorate.harness.sampling.pod import PodSampler
from quorate.harness.store.run_directory import RunDirectory
from quorate.harness.transport import Transport
from quorate.probes.catalogue import Endpoint

POD = "pod:"
SURVIVING = "surviving-"

WORDS: Mapping[str, Callable[[Cluster], tuple[Node, ...]]] = {
    "first-worker": lambda cluster: cluster.workers,
    "surviving-worker": lambda cluster: cluster.workers,
    "surviving-control-plane": lambda cluster: cluster.control_planes,
}
"""Behind ``node:`` and ``pod:``, beside the nodes' own names: the first of these; a surviving one
is no target of any fault of the experiment."""


Places = Callable[[Collection[str]], Mapping[str, Endpoint]]


class Reach(NamedTuple):
    """How nodes are acted on, how the way back is journalled before, and where the paths lead that
    the cluster decides on."""

    transport: Transport
    hold: Hold
    places: Places
    pods: SamplerPodDriver


def vantage_node(word: str, *, cluster: Cluster, targeted: Collection[str]) -> str:
    """The node that `node:…` or `pod:…` stands for; RefusedError where there is none."""
    name, with_pods = _named(word), word.startswith(POD)
    known = [node.name for node in cluster.nodes if node.has_kubelet or not with_pods]
    if name in known:
        return name
    if name not in WORDS:
        raise RefusedError(
            f"from: {word}: there is no such node; there are {', '.join(known)}, "
            f"and the words {', '.join(WORDS)}"
        )
    taken = targeted if name.startswith(SURVIVING) else ()
    found = [node.name for node in WORDS[name](cluster) if node.name not in taken]
    if not found:
        raise RefusedError(f"from: {word}: every such node is the target of a fault")
    return found[0]


def _named(word: str) -> str:
    return word.partition(":")[2]


class Vantages:
    """The samplers on nodes and in pods, by the experiment's words."""

    def __init__(
        self, directory: RunDirectory, *, experiment: Experiment, cluster: Cluster, reach: Reach
    ) -> None:
        self._directory = directory
        self._experiment = experiment
        self._cluster = cluster
        self._reach = reach
        self._samplers: dict[str, FarSampler] = {}
        self._started: list[str] = []

    def resolve(self, plans: Mapping[str, ProbePlan], *, targeted: Collection[str]) -> None:
        """Find each node and look whether a sampler can run there; RefusedError."""
        for number, word in enumerate(self._experiment.vantages, start=1):
            node = vantage_node(word, cluster=self._cluster, targeted=targeted)
            sampler = self._sampler(word, node, mark=f"sampler-{number}", plans=plans)
            sampler.look()
            self._samplers[word] = sampler
            self._directory.append_event("vantage_resolved", vantage=word, node=node)

    def _sampler(
        self, word: str, node: str, *, mark: str, plans: Mapping[str, ProbePlan]
    ) -> FarSampler:
        probes = {name: plans[name] for name in self.probes(word)}
        mark = mark_of(self._directory.run_id, mark)
        if word.startswith(POD):
            pods = (self._reach.pods, node)
            return PodSampler(self._directory, probes, vantage=word, mark=mark, reach=pods)
        way = (self._reach.transport, node)
        return NodeSampler(self._directory, probes, vantage=word, mark=mark, reach=way)

    def demand_not_hit(self, nodes: Collection[str]) -> None:
        """RefusedError where a fault is to hit a node that was to survive it."""
        for word, sampler in self._samplers.items():
            if _named(word).startswith(SURVIVING) and sampler.node in nodes:
                raise RefusedError(
                    f"from: {word} is {sampler.node}, which is to be hit now: its target has moved"
                )

    def place(self, plans: Mapping[str, ProbePlan]) -> None:
        """Put these plans in place of those that had no address yet."""
        for word, sampler in self._samplers.items():
            names = self.probes(word)
            sampler.place({name: plan for name, plan in plans.items() if name in names})

    def start(self, *, lasts_s: float) -> None:
        """Start all, each journalled before; ProbeError where one cannot be started."""
        for word, sampler in self._samplers.items():
            self._started.append(word)
            *others, last = sampler.undos()
            for undo in others:
                self._reach.hold(undo, lambda: None)
            self._reach.hold(last, partial(sampler.start, lasts_s=lasts_s))

    def stop(self) -> dict[str, object]:
        """End all; what each has said, by its word."""
        started, self._started = self._started, []
        return {word: self._samplers[word].stop() for word in started}

    def probes(self, word: str) -> list[str]:
        """The probes that are asked from there."""
        return [name for name, spec in self._experiment.probes.items() if spec.vantage == word]

    def heard(self, probe: str) -> float | None:
        """Until when the samples of a probe are known here, seconds since the run's base; None
        where its sampler is beside us."""
        sampler = self._samplers.get(self._experiment.probes[probe].vantage)
        return None if sampler is None else sampler.heard()

    def lost(self, probe: str) -> str:
        """Why no sample of a probe will come any more; empty while some may."""
        sampler = self._samplers.get(self._experiment.probes[probe].vantage)
        return "" if sampler is None else sampler.lost
