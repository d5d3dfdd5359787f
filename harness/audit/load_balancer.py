"""Load balancers: how they see that an API server is gone, and what they do then."""

from __future__ import annotations

from collections.abc import Iterator

from quorate.harness.audit.costs import left_by, up_to
from quorate.harness.audit.facts import AuditFacts
from quorate.harness.audit.rule import BLOCKING, WARNING, Found, rule
from quorate.harness.model.touch import Way
from quorate.harness.predict.balancing import SAYS_NOT_READY, tries_another_after_s
from quorate.harness.predict.cluster_facts import APISERVER, HAPROXY, NGINX, of
from quorate.harness.predict.facts import HaproxyBackend
from quorate.harness.predict.formulas import Bound

LEFT_S = 8.0
"""Acceptable of an API server that is gone (reference/timings_and_slos.md §1.1, L5)."""
CONNECT_S = 3.0
WATCH_S = 45.0
"""client-go's HTTP/2 ping: after 30 s of silence, and 15 s for the answer (ibid., L5)."""


def _backends(facts: AuditFacts) -> Iterator[tuple[str, HaproxyBackend]]:
    for node, one in facts.configuration.haproxy.items():
        backend = one.behind(facts.configuration.port)
        if backend is not None:
            yield node, backend


def _where(node: str, backend: HaproxyBackend) -> str:
    return f"{of(HAPROXY, node)}, backend {backend.name}"


@rule(
    "lb-leads-nowhere",
    BLOCKING,
    "a load balancer that has no backend behind the API's port, or no server in it",
    fix="bind the port of cluster.yaml's virtual_ip and lead it to all API servers",
)
def leads_nowhere(facts: AuditFacts) -> Iterator[Found]:
    port = facts.configuration.port
    for node, one in facts.configuration.haproxy.items():
        backend = one.behind(port)
        if backend is None or not backend.servers:
            title = "holds the VIP for nothing: it has no API server behind the port"
            yield Found(node, title, of(HAPROXY, node), f"nothing behind port {port}")


@rule(
    "lb-lacks-apiserver",
    WARNING,
    "a load balancer that does not know every API server of cluster.yaml",
    fix="add a server line for each control plane",
)
def lacks_apiserver(facts: AuditFacts) -> Iterator[Found]:
    for node, backend in _backends(facts):
        known = {server.address for server in backend.servers}
        servers = facts.cluster.control_planes
        lacking = [one.name for one in servers if not known & {one.address, one.name}]
        if backend.servers and lacking:
            title = f"sends nothing to the API server of {', '.join(lacking)}"
            yield Found(node, title, _where(node, backend), f"servers {', '.join(sorted(known))}")


@rule(
    "lb-servers-unchecked",
    BLOCKING,
    "API servers that a load balancer never checks: one that is gone is sent to for ever",
    fix="default-server check check-ssl verify none inter 1s fall 2",
)
def unchecked(facts: AuditFacts) -> Iterator[Found]:
    for node, backend in _backends(facts):
        names = [server.name for server in backend.servers if not server.check]
        if names:
            title = "never checks an API server, and sends to a dead one for ever"
            yield Found(node, title, _where(node, backend), f"no check on {', '.join(names)}")


@rule(
    "lb-check-tcp-only",
    BLOCKING,
    "API servers are checked by a connection alone: one that hangs or is not ready is sent to",
    fix="option httpchk; http-check send meth GET uri /readyz; check-ssl",
)
def tcp_only(facts: AuditFacts) -> Iterator[Found]:
    for node, backend in _backends(facts):
        if backend.check_path is None and any(server.check for server in backend.servers):
            title = "checks that API servers accept, not that they answer: one that hangs stays in"
            yield Found(node, title, _where(node, backend), "no option httpchk")


@rule(
    "lb-check-not-readyz",
    BLOCKING,
    "the check asks another path than /readyz: a server that is told to end goes on being sent to",
    fix="http-check send meth GET uri /readyz",
)
def not_readyz(facts: AuditFacts) -> Iterator[Found]:
    for node, backend in _backends(facts):
        path = backend.check_path
        if path is not None and not path.startswith(SAYS_NOT_READY):
            title = "does not ask /readyz, which alone fails when an API server is told to end"
            yield Found(node, title, _where(node, backend), f"uri {path}")


@rule(
    "lb-detection-slow",
    WARNING,
    f"a machine that is gone is sent to for longer than {LEFT_S:g} s",
    cost="until a silent API server is marked down; 1 in N new connections meets it",
    fix="inter 1s fastinter 500ms fall 2",
)
def slow(facts: AuditFacts) -> Iterator[Found]:
    for node, backend in _backends(facts):
        bound = left_by(backend, Way.SILENT)
        if backend.servers and bound is not None and bound.high_s > LEFT_S:
            server = backend.servers[0]
            said = f"inter {server.inter_s:g}s fall {server.fall}"
            title = "is slow to leave an API server whose machine is gone"
            yield Found(node, title, _where(node, backend), said, bound)


@rule(
    "lb-no-redispatch",
    WARNING,
    "a new connection that met a dead server is not given to another one",
    cost="until that server is marked down; 1 in N new connections fails meanwhile",
    fix="option redispatch 1; retries 3",
)
def no_redispatch(facts: AuditFacts) -> Iterator[Found]:
    for node, backend in _backends(facts):
        if backend.servers and tries_another_after_s(backend, way=Way.ENDED) is None:
            on = "option redispatch" if backend.redispatch else "no option redispatch"
            said = f"{on}, retries {backend.retries}"
            title = f"1 in {len(backend.servers)} new connections fails until checks have failed"
            cost = up_to(left_by(backend, Way.SILENT))
            yield Found(node, title, _where(node, backend), said, cost)


@rule(
    "lb-connect-timeout-long",
    WARNING,
    f"timeout connect is not set, or longer than {CONNECT_S:g} s",
    cost="what a new connection waits at a machine that is gone",
    fix="timeout connect 500ms",
)
def connect_timeout(facts: AuditFacts) -> Iterator[Found]:
    for node, backend in _backends(facts):
        wait_s = backend.timeout_connect_s
        if wait_s is None or wait_s > CONNECT_S:
            said = "no timeout connect" if wait_s is None else f"timeout connect {wait_s:g}s"
            cost = None if wait_s is None else Bound(0.0, wait_s, f"timeout connect {wait_s:g} s")
            title = "new connections wait long at a machine that is gone"
            yield Found(node, title, _where(node, backend), said, cost)


@rule(
    "lb-idle-timeout-short",
    WARNING,
    f"timeout client or server is {WATCH_S:g} s or less: idle watches are cut",
    fix="timeout client 90s; timeout server 90s",
)
def idle_timeout(facts: AuditFacts) -> Iterator[Found]:
    for node, backend in _backends(facts):
        named = {"client": backend.timeout_client_s, "server": backend.timeout_server_s}
        short = [f"timeout {k} {v:g}s" for k, v in named.items() if v is not None and v <= WATCH_S]
        if short:
            title = "cuts watches that are idle for as long as they may be"
            yield Found(node, title, _where(node, backend), ", ".join(short))


@rule(
    "lb-keeps-sessions",
    WARNING,
    "connections to a server that was marked down are not cut",
    cost="until a client's HTTP/2 ping finds out; clients without pings wait for TCP, minutes",
    fix="on-marked-down shutdown-sessions",
)
def keeps_sessions(facts: AuditFacts) -> Iterator[Found]:
    for node, backend in _backends(facts):
        names = [server.name for server in backend.servers if not server.shutdown_sessions]
        if names:
            title = "kept connections stay on an API server that is gone"
            cost = Bound(0.0, WATCH_S, "HTTP/2 ping: 30 s of silence + 15 s for the answer")
            said = f"no on-marked-down shutdown-sessions on {', '.join(names)}"
            yield Found(node, title, _where(node, backend), said, cost)


@rule(
    "apiserver-shutdown-delay-short",
    WARNING,
    "an API server that is told to end stops listening before load balancers have left it",
    cost="how long new connections may be refused",
    fix="--shutdown-delay-duration longer than the load balancers need (10s)",
)
def shutdown_delay(facts: AuditFacts) -> Iterator[Found]:
    bounds = [left_by(backend, Way.LEFT) for _, backend in _backends(facts) if backend.servers]
    known = [one for one in bounds if one is not None]
    if not known:
        return
    slowest = max(known, key=lambda one: one.high_s)
    for node, server in facts.configuration.apiservers.items():
        delay_s = server.shutdown_delay_s
        if delay_s < slowest.high_s:
            text = f"{slowest.formula}; less shutdown-delay {delay_s:g} s"
            cost = Bound(0.0, slowest.high_s - delay_s, text)
            title = "stops listening before the load balancers have left it"
            said = f"--shutdown-delay-duration={delay_s:g}s"
            yield Found(node, title, of(APISERVER, node), said, cost)


@rule(
    "lb-passive-checks",
    WARNING,
    "Nginx (open source) asks no API server whether it is ready: one that has lost its etcd, or "
    "hangs, keeps its share of the connections for as long as that lasts",
    fix="HAProxy with GET /readyz, or Nginx Plus with health_check",
)
def passive(facts: AuditFacts) -> Iterator[Found]:
    for node, one in facts.configuration.nginx.items():
        proxy = one.behind(facts.configuration.port)
        if proxy is not None:
            title = "sends to an API server that takes connections, whether it serves or not"
            found = f"{len(proxy.servers)} servers with passive checks alone"
            yield Found(node, title, of(NGINX, node), found)


RULES = (
    leads_nowhere,
    lacks_apiserver,
    unchecked,
    tcp_only,
    not_readyz,
    slow,
    no_redispatch,
    connect_timeout,
    idle_timeout,
    keeps_sessions,
    shutdown_delay,
    passive,
)
