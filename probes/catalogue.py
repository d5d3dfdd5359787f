"""Every probe there is. A new one is a file beside this one and a line in PROBES."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from quorate.harness.errors import RefusedError, SpecError
from quorate.harness.model.cluster import Cluster, Node, Role
from quorate.harness.model.experiment import HARD_TIMEOUT_S, Experiment
from quorate.harness.model.probe_plan import ClientCredentials, ProbePlan
from quorate.harness.model.probe_spec import ProbeSpec
from quorate.harness.model.register import Register
from quorate.harness.model.timeline import BESIDE_HARNESS
from quorate.probes import (
    api_cached_read,
    api_dry_run_create,
    api_quorum_read,
    api_watch,
    api_write,
    dns_query,
    dns_resolution,
    service_reachability,
    url_reachability,
)
from quorate.probes.question import Question

API_SERVER_PORT = 6443
"""kubeadm's default ``--secure-port``; the cluster file does not say otherwise."""

PROBES: Mapping[str, Question] = {
    question.name: question
    for question in (
        api_cached_read.QUESTION,
        api_dry_run_create.QUESTION,
        api_quorum_read.QUESTION,
        api_watch.QUESTION,
        api_write.QUESTION,
        dns_query.QUESTION,
        dns_resolution.QUESTION,
        service_reachability.QUESTION,
        url_reachability.QUESTION,
    )
}

DNS_PORT = 53

BALANCERS = ("haproxy", "nginx")
API_WAYS = ("vip", *BALANCERS, "apiserver")
INSIDE = ("kubernetes", "cluster-ip", "pod", "dns")
"""First words of paths that lead somewhere on the cluster's own nodes alone; where to, it decides
itself (run/places.py asks it)."""

WAYS: Mapping[str, tuple[str, ...]] = {
    "api": (*API_WAYS, "kubernetes"),
    "register": API_WAYS,
    "watch": API_WAYS,
    "service": ("service", "cluster-ip", "pod"),
    "dns": ("dns",),
    "url": (),
}
"""First words of the paths to what a probe asks; none where it asks a URL."""


def ways() -> dict[str, tuple[str, ...]]:
    """Probe → first words of the paths that it can be asked by."""
    return {name: WAYS[question.of] for name, question in PROBES.items()}


def check_probes(experiment: Experiment) -> None:
    """SpecError where a probe is to be asked in a way that it cannot be."""
    for name, spec in experiment.probes.items():
        found, allowed = _unaskable(spec)
        if found:
            found = f"probe {name}: {spec.probe} {found}"
            raise SpecError(None, field="extensions", found=found, allowed=allowed)


def _unaskable(spec: ProbeSpec) -> tuple[str, str]:
    """What is wrong with a probe's way, and what would be right; empty where nothing is."""
    asks, away = PROBES[spec.probe].of, spec.vantage != BESIDE_HARNESS
    if asks == "watch" and spec.connection != "reused":
        return "with connection: new", "connection: reused, for a watch keeps its connection"
    if asks == "watch" and away:
        return f"from {spec.vantage}", "from: harness, where what is written is known"
    if asks == "dns" and spec.connection != "new":
        return "with connection: reused", "connection: new, a port of its own for each question"
    if is_inside(spec.path) and not away:
        allowed = "from: node:<node>, for addresses of services and pods lead nowhere outside"
        return f"by path {spec.path} from the harness", allowed
    return "", ""


def is_inside(path: str) -> bool:
    """Whether it is the cluster that decides where a path leads."""
    return path.partition(":")[0] in INSIDE


class Endpoint(NamedTuple):
    """Where a path word leads to."""

    host: str
    port: int


NOWHERE = Endpoint("", 0)


def endpoint(path: str, *, cluster: Cluster) -> Endpoint:
    """The address behind ``vip``, ``haproxy:<node>`` (``nginx:<node>``), ``apiserver:<node>`` or
    ``service:<node>`` (the NodePort there). Without a node it is the first one in the cluster file,
    the first worker for ``service``. Nowhere, for now, where it is the cluster that decides.

    Raises:
        RefusedError: the cluster has no such node, or the node does not carry that role, or the
            cluster balances by another program.
    """
    if path == "vip":
        return Endpoint(cluster.virtual_ip.address, cluster.virtual_ip.port)
    if is_inside(path):
        return NOWHERE
    word, _, name = path.partition(":")
    if word == "service":
        return Endpoint(_entry(name, cluster).address, cluster.service.node_port)
    if word in BALANCERS:
        if word != cluster.balancer:
            raise RefusedError(
                f"path {path!r}: this cluster balances by {cluster.balancer} (cluster.yaml: "
                f"balancer): say {path.replace(word, cluster.balancer, 1)}"
            )
        node = _node(name, role=Role.LOAD_BALANCER, path=path, cluster=cluster)
        return Endpoint(node.address, cluster.virtual_ip.port)
    node = _node(name, role=Role.CONTROL_PLANE, path=path, cluster=cluster)
    return Endpoint(node.address, API_SERVER_PORT)


def _entry(name: str, cluster: Cluster) -> Node:
    """Any node with a kubelet: kube-proxy runs on all of them and sends on to wherever a pod is."""
    known = {node.name: node for node in cluster.nodes if node.has_kubelet}
    if not name:
        return next(iter(cluster.workers or known.values()))
    if name not in known:
        there = ", ".join(known)
        raise RefusedError(f"path 'service:{name}': no such node with pods; there: {there}")
    return known[name]


def _node(name: str, *, role: Role, path: str, cluster: Cluster) -> Node:
    fit = {node.name: node for node in cluster.with_role(role)}
    if fit and not name:
        return next(iter(fit.values()))
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
    """What the sampler is to do for one probe of an experiment that asks by a path; SpecError is
    raised earlier.

    ``registers``: those that it writes or watches, where that is what it does.

    Raises:
        RefusedError: the path leads to no node of this cluster.
    """
    question = PROBES[spec.probe]
    host, port = endpoint(spec.path, cluster=cluster)
    watches = question.of == "watch"
    return ProbePlan(
        host=host,
        port=port,
        path=api_watch.watch_path(registers[0]) if watches else question.path,
        connection=spec.connection,
        rate_hz=spec.rate_hz,
        credentials=None if question.of in ("service", "dns") else credentials,
        hard_timeout_s=hard_timeout_s,
        status=question.status,
        body_contains=question.body_contains,
        body=question.body,
        registers=() if watches else registers,
        writes=question.of == "register",
        watches=watches,
        looks_up=dns_query.NAME if question.of == "dns" else "",
    )
