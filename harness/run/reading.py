"""What the prediction rests on, read from the live cluster. Changes nothing, and never fails: what
cannot be read is named, and what depends on it is not predicted."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from quorate.harness.drivers import coredns, etcd, haproxy, keepalived, kubelet, nginx
from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.drain import BUDGETS, pods_path
from quorate.harness.drivers.manifests import path_of
from quorate.harness.drivers.pods import budgets_over, is_ready, leaves_in_a_drain
from quorate.harness.drivers.service import selected_path
from quorate.harness.errors import DriverError, TransportError
from quorate.harness.model import service
from quorate.harness.model.cluster import Node, Role
from quorate.harness.model.touch import Part
from quorate.harness.predict import cluster_facts as words
from quorate.harness.predict.cluster_facts import ClusterFacts, of, pods_on
from quorate.harness.predict.facts import ElectionFacts, PodFacts
from quorate.harness.predict.haproxy_cfg import parse_haproxy
from quorate.harness.predict.keepalived_conf import parse_keepalived
from quorate.harness.predict.kubelet_conf import parse_kubelet
from quorate.harness.predict.nginx_conf import parse_nginx
from quorate.harness.predict.pod_objects import parse_pod
from quorate.harness.predict.static_pods import (
    parse_apiserver,
    parse_election,
    parse_etcd,
    parse_lifecycle,
)

T = TypeVar("T")

ELECTING = (str(Part.SCHEDULER), str(Part.CONTROLLER_MANAGER))
"""Leases of kube-system, named as the components that elect by them."""

Paths = tuple[str, ...]
"""Where something may lie: the first one that is there counts."""

FILES: Mapping[Role, Mapping[str, Paths]] = {
    Role.LOAD_BALANCER: {words.KEEPALIVED: (keepalived.CONFIGURATION,)},
    Role.ETCD: {words.ETCD: (etcd.MANIFEST, etcd.CONFIGURATION)},
    Role.CONTROL_PLANE: {
        words.APISERVER: (path_of("kube-apiserver"),),
        words.CONTROLLER_MANAGER: (path_of("kube-controller-manager"),),
        words.SCHEDULER: (path_of("kube-scheduler"),),
    },
}
"""Role → what a node with it has → where."""

BALANCERS: Mapping[str, Mapping[str, Paths]] = {
    haproxy.UNIT: {words.HAPROXY: (haproxy.CONFIGURATION,)},
    nginx.UNIT: {words.NGINX: (nginx.CONFIGURATION,)},
}
"""What a load balancer has besides, by what balances."""


@dataclass(frozen=True)
class Reading:
    """The facts, and who held which lease."""

    facts: ClusterFacts
    lease_holders: Mapping[str, str | None]


def read_cluster_facts(drivers: Drivers, *, nodes: Collection[str]) -> Reading:
    """One command on each node of the control plane and on each of `nodes`, whose pods are read
    too, one for each balancer's unit, all nodes at once, and a few questions to the API."""
    return _Reader(drivers).read(nodes)


@dataclass
class _Reader:
    """Collects why something could not be read."""

    drivers: Drivers
    unread: dict[str, str] = field(default_factory=dict)

    def read(self, nodes: Collection[str]) -> Reading:
        cluster = self.drivers.cluster
        asked = [
            node
            for node in cluster.nodes
            if node.name in nodes or any(node.has(role) for role in FILES)
        ]
        with ThreadPoolExecutor(len(asked) or 1, thread_name_prefix="facts") as pool:
            each = list(pool.map(self._on_node, asked))
        texts = {node.name: found for node, (found, _) in zip(asked, each, strict=True)}
        restarts = {node.name: found for node, (_, found) in zip(asked, each, strict=True)}
        leases = {name: self._asked(name, self.drivers.leases.held, name) for name in ELECTING}
        facts = ClusterFacts(
            virtual_address=cluster.virtual_ip.address,
            port=cluster.virtual_ip.port,
            keepalived=self._parsed(words.KEEPALIVED, texts, parse_keepalived),
            balancer=cluster.balancer,
            haproxy=self._parsed(words.HAPROXY, texts, parse_haproxy),
            nginx=self._parsed(words.NGINX, texts, parse_nginx),
            restarts_s={name: found[0] for name, found in restarts.items() if found is not None},
            etcd=self._parsed(words.ETCD, texts, parse_etcd),
            apiservers=self._parsed(words.APISERVER, texts, parse_apiserver),
            elections={name: self._elections(name, texts) for name in ELECTING},
            leases_s={name: one.length_s for name, one in leases.items() if one and one.length_s},
            lifecycle=self._parsed(words.CONTROLLER_MANAGER, texts, parse_lifecycle),
            kubelets=self._parsed(words.KUBELET, texts, parse_kubelet),
            pods=self._pods(nodes),
            unread=dict(sorted(self.unread.items())),  # nodes are asked in no order
        )
        return Reading(facts, {name: one.node if one else None for name, one in leases.items()})

    def _on_node(self, node: Node) -> tuple[dict[str, str], tuple[float | None] | None]:
        """Its texts, and how soon its balancer starts again (None: it has none, or not known)."""
        texts = self._texts(node)
        if not node.has(Role.LOAD_BALANCER):
            return texts, None
        unit = words.unit_of(self.drivers.cluster.balancer)
        return texts, self._asked(of(unit, node.name), self._restart, node.name)

    def _restart(self, node: str) -> tuple[float | None]:
        return (self.drivers.systemd.restart_s(node, self.drivers.cluster.balancer),)

    def _elections(
        self, name: str, texts: Mapping[str, Mapping[str, str]]
    ) -> Mapping[str, ElectionFacts]:
        what = f"{name}.yaml"
        return self._parsed(what, texts, lambda text: parse_election(text, name=what))

    def _texts(self, node: Node) -> dict[str, str]:
        """What the node should have → its text."""
        paths = self._paths(node)
        try:
            found = self.drivers.files.texts(
                node.name, [one for each in paths.values() for one in each]
            )
        except TransportError as error:
            self.unread.update({of(what, node.name): str(error) for what in paths})
            return {}
        texts = {}
        for what, places in paths.items():
            there = [found[path] for path in places if path in found]
            texts.update({what: there[0]} if there else {})
            if not there:
                where = " or ".join(places)
                self.unread[of(what, node.name)] = f"{node.name} has no {where} that can be read"
        return texts

    def _paths(self, node: Node) -> dict[str, Paths]:
        """What the node should have → where."""
        paths: dict[str, Paths] = {}
        if node.has_kubelet:
            paths[words.KUBELET] = (kubelet.CONFIGURATION,)
        if node.has(Role.LOAD_BALANCER):
            paths.update(BALANCERS[self.drivers.cluster.balancer])
        for role, files in FILES.items():
            paths.update(files if node.has(role) else {})
        return paths

    def _parsed(
        self, what: str, texts: Mapping[str, Mapping[str, str]], parse: Callable[[str], T]
    ) -> dict[str, T]:
        """Node → facts."""
        parsed = {}
        for node, by_what in texts.items():
            if what not in by_what:
                continue
            try:
                parsed[node] = parse(by_what[what])
            except DriverError as error:
                self.unread[of(what, node)] = f"{node}: {error}"
        return parsed

    def _pods(self, nodes: Collection[str]) -> dict[str, tuple[PodFacts, ...]]:
        budgets = self._asked("budgets", self.drivers.api.items, BUDGETS) or []

        def read(path: str) -> tuple[PodFacts, ...]:
            return tuple(_pod(pod, budgets) for pod in self.drivers.api.items(path))

        paths = {
            words.SERVICE_PODS: selected_path(service.NAMESPACE, service.SELECTOR),
            words.DNS_PODS: selected_path(coredns.NAMESPACE, coredns.SELECTOR),
            **{pods_on(node): pods_path(node) for node in nodes},
        }
        found = {what: self._asked(what, read, path) for what, path in paths.items()}
        return {what: pods for what, pods in found.items() if pods is not None}

    def _asked(self, what: str, ask: Callable[[str], T], argument: str) -> T | None:
        try:
            return ask(argument)
        except (DriverError, TransportError) as error:
            self.unread[what] = f"{what}: {error}"
            return None


def _pod(pod: Mapping[str, Any], budgets: Sequence[Mapping[str, Any]]) -> PodFacts:
    try:
        over = budgets_over(pod, budgets)
        return parse_pod(pod, ready=is_ready(pod), leaves=leaves_in_a_drain(pod), budgets=over)
    except (KeyError, TypeError, AttributeError) as error:
        raise DriverError(f"a pod cannot be read: {type(error).__name__}: {error}") from error
