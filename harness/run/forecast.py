"""What the live configuration says a fault should cost clients, written down before the act."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.faults.cuts import shapes
from quorate.harness.model.cluster import Cluster, Role
from quorate.harness.model.experiment import Experiment
from quorate.harness.model.verdict import PredictionResult
from quorate.harness.predict.predictions import predict, unpredicted
from quorate.harness.predict.situation import Situation
from quorate.harness.run.limits import Placed
from quorate.harness.run.reading import Reading, read_cluster_facts
from quorate.harness.run.targets import LEASES, Facts
from quorate.probes.catalogue import endpoint


@dataclass(frozen=True)
class Forecast:
    """What was read of one cluster, once it was arranged."""

    cluster: Cluster
    reading: Reading

    @classmethod
    def read(cls, drivers: Drivers, *, nodes: Collection[str]) -> Forecast:
        """`nodes`: the targets. Never fails: what cannot be read is not predicted from."""
        return cls(drivers.cluster, read_cluster_facts(drivers, nodes=nodes))

    def of(
        self, experiment: Experiment, *, placed: Placed, facts: Facts, backups: Collection[str]
    ) -> tuple[PredictionResult, ...]:
        """What a fault that is put on next should cost, by the experiment's objectives.

        `backups`: nodes whose keepalived runs now; the files of the others do not count.
        """
        touch = placed.fault.touch(placed.arguments)
        if touch is None:
            return unpredicted(experiment, f"{placed.fault.name} does not say what it touches")
        if not is_alone(experiment):
            return unpredicted(experiment, "several faults are on at once")
        fault, nodes, arguments = placed.fault, placed.nodes, placed.arguments
        members = [node.name for node in self.cluster.with_role(Role.ETCD)]
        lost = fault.members_lost(self.cluster, nodes=nodes, arguments=arguments)
        links = fault.links_lost(self.cluster, nodes=nodes, arguments=arguments)
        situation = Situation(
            touch=touch,
            nodes=tuple(nodes),
            cluster=self.cluster,
            vip_holder=facts.vip_holder,
            etcd_leader=facts.etcd_leader,
            members_lost=tuple(lost),
            may_lead=shapes.may_lead(
                members, lost=frozenset(links) or shapes.alone(members, hit=lost)
            ),
            backups=backups,
            lease_holders={
                **self.reading.lease_holders,
                **{LEASES[word]: node for word, node in facts.leases.items()},
            },
        )
        entries = entries_of(experiment, cluster=self.cluster)
        return predict(experiment, situation, self.reading.facts, entries=entries)


def is_alone(experiment: Experiment) -> bool:
    """Whether the first fault is taken off before another one is put on."""
    kinds = [step.kind for step in experiment.method if step.kind in ("fault", "undo")]
    first = kinds.index("fault") if "fault" in kinds else len(kinds)
    return kinds[first + 1 : first + 2] != ["fault"]


def entries_of(experiment: Experiment, *, cluster: Cluster) -> Mapping[str, str | None]:
    """Probe → the node that it asks; None where it asks the virtual address, or a URL.

    RefusedError where its path leads to no node of this cluster.
    """
    names = {node.address: node.name for node in cluster.nodes}
    return {
        name: names.get(endpoint(spec.path, cluster=cluster).host) if spec.path else None
        for name, spec in experiment.probes.items()
    }
