"""What machines depend on."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from urllib.parse import urlsplit

from quorate.harness.audit.facts import AuditFacts
from quorate.harness.audit.rule import BLOCKING, UNKNOWN, Found, rule
from quorate.harness.model.cluster import Role

OF_COMPONENTS = ("kubelet.conf", "controller-manager.conf", "scheduler.conf")
"""kubeadm's kubeconfigs of what must go on working; admin.conf is a person's."""


@rule(
    "kubeconfig-one-apiserver",
    BLOCKING,
    "a kubelet, scheduler or controller manager that asks the API server of one other machine",
    fix="server: https://VIP:PORT in the kubeconfig, then restart what reads it",
)
def one_apiserver(facts: AuditFacts) -> Iterator[Found]:
    """On a control plane its own API server will do: both go together."""
    machines = {node.address: node for node in facts.cluster.nodes}
    machines |= {node.name: node for node in facts.cluster.nodes}
    for name, public in facts.public.items():
        for path, url in public.servers.items():
            asked = machines.get(urlsplit(url).hostname or "")
            own = asked is not None and asked.name == name and asked.has(Role.CONTROL_PLANE)
            if path.endswith(OF_COMPONENTS) and asked is not None and not own:
                title = f"stops when {asked.name} is gone, though other API servers are there"
                yield Found(name, title, path, f"server: {url}")


@rule(
    "kubeconfig-loopback-unknown",
    UNKNOWN,
    "a worker's kubelet asks a proxy on its own machine: what is behind that is not read",
    fix="see for yourself that the proxy knows every API server",
)
def loopback(facts: AuditFacts) -> Iterator[Found]:
    for name, public in facts.public.items():
        for path, url in public.servers.items():
            local = _is_loopback(urlsplit(url).hostname or "")
            if local and not facts.cluster.node(name).has(Role.CONTROL_PLANE):
                title = "asks a proxy of its own that nobody has looked into"
                yield Found(name, title, path, f"server: {url}")


@rule(
    "node-not-ready",
    BLOCKING,
    "a machine that is not Ready, or that the API does not know",
    fix="look at its kubelet; the cluster is worse already than this audit says",
)
def not_ready(facts: AuditFacts) -> Iterator[Found]:
    if facts.nodes is None:
        return
    ready = {one.name: one.ready for one in facts.nodes}
    for one in facts.cluster.nodes:
        in_kubernetes = one.has(Role.CONTROL_PLANE) or one.has(Role.WORKER)
        if in_kubernetes and not ready.get(one.name):
            said = "Ready is not True" if one.name in ready else "no such Node"
            yield Found(one.name, "is not ready", f"Node {one.name}", said)


@rule(
    "not-read",
    UNKNOWN,
    "something that rules look at could not be read: what rests on it was not audited",
    fix="mend what is said to be wrong, and audit again",
)
def not_read(facts: AuditFacts) -> Iterator[Found]:
    for what, why in facts.unread.items():
        reason = why.partition("\n")[0]  # the command to try it again with is longer than all else
        yield Found(what, "could not be read: what rests on it was not audited", what, reason)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


RULES = (one_apiserver, loopback, not_ready, not_read)
