"""All that was read of one cluster, and what could not be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from quorate.harness.predict.facts import (
    ApiserverFacts,
    ElectionFacts,
    EtcdFacts,
    HaproxyBackend,
    HaproxyFacts,
    KeepalivedFacts,
    KubeletFacts,
    LifecycleFacts,
    NginxFacts,
    NginxProxy,
    PodFacts,
    VrrpInstance,
)

T = TypeVar("T")

HAPROXY = "haproxy.cfg"
NGINX = "nginx.conf"
KEEPALIVED = "keepalived.conf"
ETCD = "etcd.yaml"
APISERVER = "kube-apiserver.yaml"
CONTROLLER_MANAGER = "kube-controller-manager.yaml"
SCHEDULER = "kube-scheduler.yaml"
KUBELET = "kubelet's config.yaml"
PRODUCTS: Mapping[str, str] = {"haproxy": "HAProxy", "nginx": "Nginx"}
"""What cluster.yaml calls a balancer → as a person says it."""
SERVICE_PODS = "the pods of the service under watch"
DNS_PODS = "the pods of CoreDNS"


class Unpredicted(Exception):
    """Why something is not predicted; never leaves this package."""


@dataclass(frozen=True)
class ClusterFacts:
    """What is configured on each node; a node that runs no such thing is left out."""

    virtual_address: str
    port: int
    keepalived: Mapping[str, KeepalivedFacts] = field(default_factory=dict)
    balancer: str = "haproxy"
    """Of which of the next two there is one on each load balancer."""
    haproxy: Mapping[str, HaproxyFacts] = field(default_factory=dict)
    nginx: Mapping[str, NginxFacts] = field(default_factory=dict)
    restarts_s: Mapping[str, float | None] = field(default_factory=dict)
    """After how long systemd starts a killed balancer again; None: it does not."""
    etcd: Mapping[str, EtcdFacts] = field(default_factory=dict)
    apiservers: Mapping[str, ApiserverFacts] = field(default_factory=dict)
    elections: Mapping[str, Mapping[str, ElectionFacts]] = field(default_factory=dict)
    """Lease → node → how its component elects there."""
    leases_s: Mapping[str, float] = field(default_factory=dict)
    """Lease → its length as its holder has written it."""
    lifecycle: Mapping[str, LifecycleFacts] = field(default_factory=dict)
    kubelets: Mapping[str, KubeletFacts] = field(default_factory=dict)
    pods: Mapping[str, tuple[PodFacts, ...]] = field(default_factory=dict)
    """SERVICE_PODS, DNS_PODS, or `pods_on` a node → those pods."""
    unread: Mapping[str, str] = field(default_factory=dict)
    """`of` a node, or a name of `pods` → why it could not be read."""

    def instance(self, node: str) -> VrrpInstance:
        """What holds the VIP on a load balancer. Raises Unpredicted."""
        found = self._known(self.keepalived, node, what=KEEPALIVED).holding(self.virtual_address)
        if found is None:
            raise Unpredicted(f"{of(KEEPALIVED, node)} has no instance with the virtual address")
        return found

    def backend(self, node: str) -> HaproxyBackend:
        """What stands behind the API's port on a load balancer. Raises Unpredicted."""
        found = self._known(self.haproxy, node, what=HAPROXY).behind(self.port)
        if found is None:
            raise Unpredicted(f"{of(HAPROXY, node)} leads nowhere from port {self.port}")
        return found

    def proxy(self, node: str) -> NginxProxy:
        """The same where Nginx balances. Raises Unpredicted."""
        found = self._known(self.nginx, node, what=NGINX).behind(self.port)
        if found is None:
            raise Unpredicted(f"{of(NGINX, node)} leads nowhere from port {self.port}")
        return found

    @property
    def product(self) -> str:
        """The balancer, as a person says it."""
        return PRODUCTS[self.balancer]

    def restart_s(self, node: str) -> float | None:
        return self._known(self.restarts_s, node, what=unit_of(self.balancer))

    def member(self, node: str) -> EtcdFacts:
        return self._known(self.etcd, node, what=ETCD)

    def apiserver(self, node: str) -> ApiserverFacts:
        return self._known(self.apiservers, node, what=APISERVER)

    def election(self, lease: str, node: str) -> ElectionFacts:
        return self._known(self.elections.get(lease, {}), node, what=f"{lease}.yaml")

    def given_up(self, node: str) -> LifecycleFacts:
        """What one kube-controller-manager goes by."""
        return self._known(self.lifecycle, node, what=CONTROLLER_MANAGER)

    def kubelet(self, node: str) -> KubeletFacts:
        return self._known(self.kubelets, node, what=KUBELET)

    def pods_of(self, what: str) -> tuple[PodFacts, ...]:
        """Raises Unpredicted where they were not read."""
        if what in self.pods:
            return self.pods[what]
        raise Unpredicted(self.unread.get(what, f"{what} were not read"))

    def _known(self, facts: Mapping[str, T], node: str, *, what: str) -> T:
        if node in facts:
            return facts[node]
        raise Unpredicted(self.unread.get(of(what, node), f"{of(what, node)} was not read"))


def of(what: str, node: str) -> str:
    """A file of a node, as a person reads it and as `unread` names it."""
    return f"{what} of {node}"


def unit_of(balancer: str) -> str:
    """The systemd unit of a balancer, as `unread` names it."""
    return f"{balancer}.service"


def pods_on(node: str) -> str:
    """The key of all pods on a node."""
    return f"the pods on {node}"
