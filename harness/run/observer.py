"""Watches every component while a run is open and writes each change into its events."""

from __future__ import annotations

import queue
import time
from collections.abc import Sequence

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.follower import (
    ApiServerFollower,
    NodeFollower,
    NodesFollower,
    Report,
    Sink,
    Source,
)
from quorate.harness.drivers.watched import Noticed, followed
from quorate.harness.drivers.watching import ObjectsFollower
from quorate.harness.model import service
from quorate.harness.model.cluster import Cluster, Node, Role
from quorate.harness.model.experiment import Experiment
from quorate.harness.model.objectives import TimeToRescheduled
from quorate.harness.run.components import Components, Fact, Key
from quorate.harness.run.sightings import Sightings
from quorate.harness.store.run_directory import RunDirectory
from quorate.harness.transport import Transport

JOIN_S = 3.0

TERM = "raft_term"
"""What a follower says of its etcd member's term: of no component's state, kept for the judge."""

GARP = "garp"
"""Who announces the VIP by gratuitous ARP, as a node hears it: kept beside who has the address."""

NAMESPACES = (service.NAMESPACE, "kube-system")
"""Whose pods are followed in every run: of the service under watch, and CoreDNS."""


def followed_namespaces(experiment: Experiment) -> tuple[str, ...]:
    """These, and those of the owners that an objective is about."""
    owners = [one.owner for one in experiment.objectives if isinstance(one, TimeToRescheduled)]
    return tuple(dict.fromkeys([*NAMESPACES, *(owner.partition("/")[0] for owner in owners)]))


def followed_nodes(cluster: Cluster) -> tuple[Node, ...]:
    """Nodes that run a part of the control plane: each gets a follower."""
    return tuple(
        node
        for node in cluster.nodes
        if node.has(Role.CONTROL_PLANE) or node.has(Role.ETCD) or node.has(Role.LOAD_BALANCER)
    )


def sources_of(
    drivers: Drivers, *, transport: Transport, sink: Sink, namespaces: Sequence[str]
) -> list[Source]:
    """A thread for each node, each API server, the list of nodes, and all that each API server
    tells of nodes, and of pods and endpoints in these namespaces."""
    cluster = drivers.cluster
    return [
        *(
            NodeFollower(node, cluster=cluster, transport=transport, sink=sink)
            for node in followed_nodes(cluster)
        ),
        *(ApiServerFollower(node, kube=drivers.kube, sink=sink) for node in cluster.control_planes),
        NodesFollower(kube=drivers.kube, sink=sink),
        *(
            ObjectsFollower(node, resource=resource, kube=drivers.kube, sink=sink)
            for node in cluster.control_planes
            for resource in followed(namespaces)
        ),
    ]


class Observer:
    """Sources in threads; `poll`, called from the run's own thread, takes what they reported."""

    def __init__(
        self,
        components: Components,
        *,
        directory: RunDirectory,
        sources: Sequence[Source],
        sink: Sink,
    ) -> None:
        self.components = components
        self._sightings = Sightings()
        self._directory = directory
        self._sources = sources
        self._sink = sink
        self._lacking: tuple[Key, ...] | None = None

    def start(self) -> None:
        for source in self._sources:
            source.start()

    def poll(self) -> None:
        """Take every report that is there; write facts at their receipt, and `whole` on change."""
        while True:
            try:
                report = self._sink.get_nowait()
            except queue.Empty:
                break
            if isinstance(report, Noticed):
                self._write_seen(report)
            elif report.component == TERM:
                self._write_term(report)
            elif report.component == GARP:
                t = self._since_base(report.t_ns / 1e9)
                data = {"mac": report.state, "heard_on": report.node}
                self._directory.append_event("vip_announced", t=t, **data)
            else:
                self._write(self.components.take(report))
        self._write(self.components.tick(time.monotonic()))

    def stop(self) -> None:
        """End all sources; what they said last is still taken."""
        for source in self._sources:
            source.stop()
        for source in self._sources:
            source.join(JOIN_S)

    def _write_seen(self, noticed: Noticed) -> None:
        for one in self._sightings.take(noticed):
            data = dict(one.data)
            if one.since is not None:
                data["since"] = round(self._since_base(one.since), 6)
            self._directory.append_event(one.kind, t=self._since_base(one.t), **data)

    def _write(self, facts: Sequence[Fact]) -> None:
        for fact in facts:
            data: dict[str, object] = {
                "component": fact.key.component,
                "node": fact.node,
                "state": fact.state,
                "good": fact.good,
            }
            if fact.key.at is not None:
                data["at"] = fact.key.at
            self._directory.append_event("fact", t=self._since_base(fact.t), **data)
        if facts:
            self._write_whole(facts[-1].t)

    def _write_term(self, report: Report) -> None:
        term, _, leader = report.state.partition(" ")
        data: dict[str, object] = {"problem": report.state}
        if term.isdigit():
            data = {"term": int(term), "leader": "" if leader == "0" else leader}
        t = self._since_base(report.t_ns / 1e9)
        self._directory.append_event("raft_term", t=t, node=report.node, **data)

    def _write_whole(self, t: float) -> None:
        """On each change of what is lacking, so that the last one says what never came back."""
        lacking = self.components.lacking()
        if lacking == self._lacking:
            return
        self._lacking = lacking
        self._directory.append_event(
            "whole",
            t=self._since_base(t),
            whole=not lacking,
            missing=list(self.components.missing()),
        )

    def _since_base(self, t: float) -> float:
        return t - self._directory.base_ns / 1e9
