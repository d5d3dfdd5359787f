"""Every probe there is. A new one is a file beside this one and a line in PROBES."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from quorate.harness.errors import RefusedError
from quorate.harness.model.cluster import Cluster, Node, Role
from quorate.harness.model.experiment import HARD_TIMEOUT_S, ProbeSpec
from quorate.harness.model.probe_plan import ClientCredentials, ProbePlan
from quorate.harness.model.register import Register
from quorate.probes import api_quorum_read, api_write, dns_resolution, service_reachability
from quorate.probes.question import Question

API_SERVER_PORT = 6443
"""kubeadm's default ``--secure-port``; the cluster file does not say otherwise."""

PROBES: Mapping[str, Question] = {
    question.name: question
    for question in (
        api_quorum_read.QUESTION,
        api_write.QUESTION,
        dns_resolution.QUESTION,
        service_reachability.QUESTION,
    )
}

API_WAYS = ("vip", "haproxy", "apiserver")
WAYS: Mapping[str, tuple[str, ...]] = {
    "api": API_WAYS,
    "register": API_WAYS,
    "service": ("service",),
}
"""First words of the paths to what a probe asks."""


def ways() -> dict[str, tuple[str, ...]]:
    """Probe → first words of the paths that it can be asked by."""
    return {name: WAYS[question.of] for name, question in PROBES.items()}


class Endpoint(NamedTuple):
    """Where a path word leads to."""

    host: str
    port: int


def endpoint(path: str, *, cluster: Cluster) -> Endpoint:
    """The address behind ``vip``, ``haproxy:<node>``, ``apiserver:<node>``, ``service:<node>`` (the
    NodePort there) or ``service`` (at the first worker).

    Raises:
        RefusedError: the cluster has no such node, or the node does not carry that role.
    """
    if path == "vip":
        return Endpoint(cluster.virtual_ip.address, cluster.virtual_ip.port)
    word, _, name = path.partition(":")
    if word == "service":
        return Endpoint(_entry(name, cluster).address, cluster.service.node_port)
    if word == "haproxy":
        node = _node(name, role=Role.LOAD_BALANCER, path=path, cluster=cluster)
        return Endpoint(node.address, cluster.virtual_ip.port)
    node = _node(name, role=Role.CONTROL_PLANE, path=path, cluster=cluster)
    return Endpoint(node.address, API_SERVER_PORT)


def _entry(name: str, cluster: Cluster) -> Node:
    """Any node: kube-proxy runs on all of them and sends on to wherever a pod is."""
    nodes = cluster.workers or cluster.nodes
    if not name:
        return nodes[0]
    try:
        return cluster.node(name)
    except KeyError:
        known = ", ".join(node.name for node in cluster.nodes)
        raise RefusedError(f"path 'service:{name}': no such node; there: {known}") from None


def _node(name: str, *, role: Role, path: str, cluster: Cluster) -> Node:
    fit = {node.name: node for node in cluster.with_role(role)}
    if name not in fit:
        names = ", ".join(fit) or "none"
        raise RefusedError(f"path {path!r}: {name!r} is no {role} of this cluster; there: {names}")
    return fit[name]


def plan_probe(
    spec: ProbeSpec,
    *,
    cluster: Cluster,
    credentials: ClientCredentials,
    hard_timeout_s: float = HARD_TIMEOUT_S,
    registers: tuple[Register, ...] = (),
) -> ProbePlan:
    """What the sampler is to do for one probe of an experiment; SpecError is raised earlier.

    ``registers``: those that it writes, where that is what it does.

    Raises:
        RefusedError: the path leads to no node of this cluster.
    """
    question = PROBES[spec.probe]
    host, port = endpoint(spec.path, cluster=cluster)
    return ProbePlan(
        host=host,
        port=port,
        path=question.path,
        connection=spec.connection,
        rate_hz=spec.rate_hz,
        credentials=None if question.of == "service" else credentials,
        hard_timeout_s=hard_timeout_s,
        status=question.status,
        body_contains=question.body_contains,
        registers=registers,
        writes=question.of == "register",
    )
