"""The lab's own configuration as facts, and faults that strike it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from quorate.harness.model.cluster import Cluster
from quorate.harness.model.touch import Part, Touch, Way
from quorate.harness.predict.cluster_facts import DNS_PODS, SERVICE_PODS, ClusterFacts
from quorate.harness.predict.facts import HaproxyServer, PodFacts
from quorate.harness.predict.haproxy_cfg import parse_haproxy
from quorate.harness.predict.keepalived_conf import parse_keepalived
from quorate.harness.predict.kubelet_conf import parse_kubelet
from quorate.harness.predict.situation import Asked, Situation
from quorate.harness.predict.static_pods import (
    parse_apiserver,
    parse_election,
    parse_etcd,
    parse_lifecycle,
)
from tests import paper_lab as paper

CONTROL_PLANES = ("cp1", "cp2", "cp3")
LEASES = ("kube-scheduler", "kube-controller-manager")


def pods(name: str, *nodes: str, **more: Any) -> tuple[PodFacts, ...]:
    return tuple(PodFacts(f"{name}-{node}", node, **more) for node in nodes)


@pytest.fixture
def cluster() -> Cluster:
    return paper.cluster()


@pytest.fixture
def facts() -> ClusterFacts:
    texts = paper.texts()

    def each(path: str, parse: Callable[[str], Any]) -> dict[str, Any]:
        return {node: parse(texts[node][path]) for node in CONTROL_PLANES}

    manifests = paper.MANIFESTS
    return ClusterFacts(
        virtual_address="10.77.0.100",
        port=8443,
        keepalived=each(paper.KEEPALIVED, parse_keepalived),
        haproxy=each(paper.HAPROXY, parse_haproxy),
        restarts_s=dict.fromkeys(CONTROL_PLANES, 0.1),
        etcd=each(f"{manifests}/etcd.yaml", parse_etcd),
        apiservers=each(f"{manifests}/kube-apiserver.yaml", parse_apiserver),
        elections={
            lease: each(f"{manifests}/{lease}.yaml", lambda text: parse_election(text, name="x"))
            for lease in LEASES
        },
        leases_s=dict.fromkeys(LEASES, 15.0),
        lifecycle=each(f"{manifests}/kube-controller-manager.yaml", parse_lifecycle),
        kubelets={node: parse_kubelet(files[paper.KUBELET]) for node, files in texts.items()},
        pods={
            SERVICE_PODS: pods("web", "w1", "w2", "w3", pre_stop_s=5.0, grace_s=8.0),
            DNS_PODS: pods("coredns", "w1", "w2"),
        },
    )


@dataclass
class Strikes:
    """Makes situations: the VIP is on cp1, etcd is led by cp2."""

    cluster: Cluster
    holders: dict[str, str | None] = field(default_factory=dict)

    def __call__(
        self, part: Part, way: Way, *nodes: str, lost: Sequence[str] = (), **more: Any
    ) -> Situation:
        """`lost`: etcd members without a leader; of a machine, its own."""
        if part is Part.MACHINE:
            lost = [node for node in nodes if node in CONTROL_PLANES]
        left = tuple(node for node in CONTROL_PLANES if node not in lost)
        given: dict[str, Any] = {
            "touch": Touch(part, way),
            "nodes": nodes,
            "cluster": self.cluster,
            "vip_holder": "cp1",
            "etcd_leader": "cp2",
            "members_lost": tuple(lost),
            "may_lead": left if len(left) > 1 else (),
            "backups": CONTROL_PLANES,
            "lease_holders": self.holders,
            **more,
        }
        return Situation(**given)


@pytest.fixture
def strikes(cluster: Cluster) -> Strikes:
    return Strikes(cluster)


NEW = Asked("api_quorum_read", "vip", False, 1.0, 0.05, 5.0)
KEPT = Asked("api_quorum_read", "vip", True, 1.0, 0.1, 5.0)
WEB = Asked("service_reachability", "service", False, 1.0, 0.05, 5.0, entry="w1")
DNS = Asked("dns_resolution", "service", False, 1.0, 0.1, 5.0, entry="w1")


def with_backend(facts: ClusterFacts, *, server: dict[str, Any], **changes: Any) -> ClusterFacts:
    """The same with every HAProxy's servers and backend changed."""

    def changed(one: HaproxyServer) -> HaproxyServer:
        return replace(one, **server)

    haproxy = {}
    for node, found in facts.haproxy.items():
        backend = found.backends["apiservers"]
        servers = tuple(map(changed, backend.servers))
        backend = replace(backend, servers=servers, **changes)
        haproxy[node] = replace(found, backends={**found.backends, "apiservers": backend})
    return replace(facts, haproxy=haproxy)
