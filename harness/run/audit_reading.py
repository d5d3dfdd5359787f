"""What the audit rests on, read from the live cluster. Changes nothing, and never fails: what
cannot be read is named, and becomes a finding of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from quorate.harness.audit.facts import AuditFacts, Backup, EtcdState, Terms, Webhook, Workload
from quorate.harness.drivers import coredns
from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.drain import BUDGETS
from quorate.harness.errors import DriverError, TransportError
from quorate.harness.model.cluster import Node, Role
from quorate.harness.model.public_files import PublicFiles
from quorate.harness.predict.cluster_facts import of
from quorate.harness.run import audit_objects as objects
from quorate.harness.run.reading import read_cluster_facts

T = TypeVar("T")

NODES, PODS, SERVICES = "/api/v1/nodes", "/api/v1/pods", "/api/v1/services"
WORKLOADS = {
    "Deployment": "/apis/apps/v1/deployments",
    "StatefulSet": "/apis/apps/v1/statefulsets",
}
ADMISSION = "/apis/admissionregistration.k8s.io/v1"
WEBHOOKS = {
    "ValidatingWebhookConfiguration": f"{ADMISSION}/validatingwebhookconfigurations",
    "MutatingWebhookConfiguration": f"{ADMISSION}/mutatingwebhookconfigurations",
}
"""Kind → the list of all of them."""

DNS = f"{coredns.NAMESPACE}/{coredns.NAME}"
ADDRESSES = "addresses"
PUBLIC = "certificates and kubeconfigs"


def read_audit_facts(drivers: Drivers, *, now: datetime, terms: Terms) -> AuditFacts:
    """A few commands on each node, all nodes at once, and a list of each kind of object."""
    return _Reader(drivers).read(now, terms)


@dataclass
class _Reader:
    """Collects why something could not be read."""

    drivers: Drivers
    unread: dict[str, str] = field(default_factory=dict)
    lists: dict[str, list[objects.Object]] = field(default_factory=dict)

    def read(self, now: datetime, terms: Terms) -> AuditFacts:
        cluster = self.drivers.cluster
        every = [node.name for node in cluster.nodes]
        configuration = read_cluster_facts(self.drivers, nodes=every).facts
        for path in (NODES, PODS, SERVICES, BUDGETS, *WORKLOADS.values(), *WEBHOOKS.values()):
            self._list(path)
        workloads = self._workloads()
        return AuditFacts(
            cluster=cluster,
            configuration=configuration,
            now=now,
            terms=terms,
            vip_holders=self._holders(),
            apiservers_ready=self._ready(),
            etcd=self._etcd(terms),
            public=self._public(),
            nodes=self._parsed(NODES, objects.node_object),
            pods=self._parsed(PODS, objects.pod),
            dns=next(filter(_is_dns, workloads), None),
            workloads=tuple(one for one in workloads if not _is_dns(one)),
            budgets=self._parsed(BUDGETS, objects.budget) or (),
            webhooks=self._webhooks(),
            unread={**configuration.unread, **dict(sorted(self.unread.items()))},
        )

    def _list(self, path: str) -> None:
        found = self._asked(path, partial(self.drivers.api.items, path))
        if found is not None:
            self.lists[path] = objects.running(found) if path == PODS else [*found]

    def _parsed(self, path: str, parse: Callable[[Any], T]) -> tuple[T, ...] | None:
        if path not in self.lists:
            return None
        return self._asked(path, lambda: tuple(map(parse, self.lists[path])))

    def _workloads(self) -> list[Workload]:
        """None at all where pods or budgets are not known: they would all look alone."""
        if not {PODS, BUDGETS} <= self.lists.keys():
            return []
        pods, budgets = self.lists[PODS], self.lists[BUDGETS]
        found = [
            self._asked(path, partial(objects.workload, kind, one, pods=pods, budgets=budgets))
            for kind, path in WORKLOADS.items()
            for one in self.lists.get(path, ())
        ]
        if WORKLOADS["Deployment"] in self.lists and not any(map(_is_dns, found)):
            self.unread[DNS] = f"there is no Deployment {DNS}"
        return [one for one in found if one is not None]

    def _webhooks(self) -> tuple[Webhook, ...]:
        """None at all where pods or services are not known, likewise."""
        if not {PODS, SERVICES} <= self.lists.keys():
            return ()
        pods, services = self.lists[PODS], self.lists[SERVICES]
        found = [
            self._asked(path, partial(objects.webhooks, kind, one, services=services, pods=pods))
            for kind, path in WEBHOOKS.items()
            for one in self.lists.get(path, ())
        ]
        return tuple(hook for hooks in found for hook in hooks or ())

    def _ready(self) -> Mapping[str, bool]:
        """Empty where none says so: then it may be the way there that is bad."""
        said = self._on(self.drivers.cluster.control_planes, self.drivers.kube.is_ready)
        if any(said.values()):
            return said
        self.unread["API servers"] = "none says that it is ready, asked from here"
        return {}

    def _holders(self) -> tuple[str, ...] | None:
        """None where one of the nodes could not be asked: it may be another holder."""
        nodes = self.drivers.cluster.may_hold_vip
        holds = self.drivers.keepalived.holds
        said = self._on(nodes, lambda node: holds(node.name), what=ADDRESSES)
        silent = [node.name for node in nodes if node.name not in said]
        for name in silent:
            why = f"{name} does not say which addresses it has"
            self.unread.setdefault(of(ADDRESSES, name), why)
        return None if silent else tuple(name for name, it_does in said.items() if it_does)

    def _etcd(self, terms: Terms) -> EtcdState:
        etcd, nodes = self.drivers.etcd, self.drivers.cluster.with_role(Role.ETCD)
        statuses = self._on(nodes, lambda node: etcd.status(node.name), what="etcd's status")
        well = [node.name for node in nodes if node.name in statuses]
        members = alarms = None
        if well:
            members = self._asked("etcd's members", partial(etcd.members, well[0]))
            alarms = self._asked("etcd's alarms", partial(etcd.alarms, well[0]))
        places = terms.backup_places
        aged = self._on(
            nodes,
            lambda node: self.drivers.files.ages_s(node.name, places),
            what="etcd's backups",
        )
        backups = tuple(
            Backup(node, path, age_s) for node, ages in aged.items() for path, age_s in ages.items()
        )
        return EtcdState(members, alarms, statuses, backups if aged else None)

    def _public(self) -> Mapping[str, PublicFiles]:
        """Of the machines that Kubernetes or etcd runs on; where nothing lies, that is told."""
        roles = (Role.CONTROL_PLANE, Role.ETCD, Role.WORKER)
        nodes = [node for node in self.drivers.cluster.nodes if any(map(node.has, roles))]
        found = self._on(nodes, lambda one: self.drivers.public_files.read(one.name), what=PUBLIC)
        for node, public in found.items():
            if not public.certificates:
                self.unread[of(PUBLIC, node)] = f"{node} has none where kubeadm puts them"
        return found

    def _on(
        self, nodes: Iterable[Node], ask: Callable[[Node], T], *, what: str = "an answer"
    ) -> dict[str, T]:
        """Node → what it says, all at once; those that cannot be asked are left out and named."""
        asked = list(nodes)
        with ThreadPoolExecutor(len(asked) or 1, thread_name_prefix="audit") as pool:
            said = pool.map(lambda one: self._asked(of(what, one.name), partial(ask, one)), asked)
        pairs = zip(asked, said, strict=True)
        return {node.name: one for node, one in pairs if one is not None}

    def _asked(self, what: str, ask: Callable[[], T]) -> T | None:
        try:
            return ask()
        except (DriverError, TransportError) as error:
            self.unread[what] = str(error)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            self.unread[what] = f"cannot be read: {type(error).__name__}: {error}"
        return None


def _is_dns(one: Workload | None) -> bool:
    return one is not None and one.kind == "Deployment" and one.name == DNS
