"""What the live configuration says a fault should cost clients, written down before the act."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.errors import DriverError, TransportError
from quorate.harness.model.cluster import Cluster, Role
from quorate.harness.predict.outage import (
    ClusterFacts,
    Prediction,
    Touched,
    predict_outage,
    read_facts,
)
from quorate.harness.run.targets import Facts


@dataclass(frozen=True)
class Forecast:
    """The configuration as read once before the run; `note` says why there is none."""

    facts: ClusterFacts | None
    note: str = ""

    @classmethod
    def read(cls, drivers: Drivers) -> Forecast:
        """Read every load balancer's files and etcd's flags; never fails, since a run does not
        depend on it."""
        cluster = drivers.cluster
        balancers = [node.name for node in cluster.with_role(Role.LOAD_BALANCER)]
        members = [node.name for node in cluster.with_role(Role.ETCD)]
        try:
            facts = read_facts(
                virtual_address=cluster.virtual_ip.address,
                port=cluster.virtual_ip.port,
                keepalived={name: drivers.keepalived.configuration(name) for name in balancers},
                haproxy={name: drivers.haproxy.configuration(name) for name in balancers},
            )
            if members:
                facts = replace(facts, etcd=drivers.etcd.timers(members[0]))
        except (DriverError, TransportError) as error:
            return cls(None, f"nothing is predicted, the configuration cannot be read: {error}")
        return cls(facts)

    def of_silence(
        self, node: str, *, cluster: Cluster, facts: Facts, backups: Collection[str]
    ) -> tuple[Prediction, ...]:
        """What it costs when `node` answers nothing any more.

        `backups`: nodes whose keepalived runs now; the files of the others do not count.
        """
        if self.facts is None:
            return ()
        known = cluster.node(node)
        touched = Touched(
            node=node,
            address=known.address,
            holds_vip=facts.vip_holder == node,
            leads_etcd=facts.etcd_leader == node,
            has_apiserver=known.has(Role.CONTROL_PLANE),
        )
        running = {name: one for name, one in self.facts.keepalived.items() if name in backups}
        return predict_outage(touched, facts=replace(self.facts, keepalived=running))
