"""How long a load balancer takes to leave a server, and what new connections do until then."""

from __future__ import annotations

from quorate.harness.model.touch import Way
from quorate.harness.predict.facts import HaproxyBackend, HaproxyServer
from quorate.harness.predict.formulas import Bound

TURN_AROUND_S = 1.0
"""HAProxy waits for the smaller of this and ``timeout connect`` before it tries a server again
that has refused (haproxy src/backend.c, back_handle_st_cer)."""

SAYS_NOT_READY = "/readyz"
"""The one health endpoint that fails as soon as an API server is told to end (apiserver
lifecycle_signals.go)."""
ASKS_ETCD = ("/readyz", "/livez", "/healthz")


def haproxy_marks_down(server: HaproxyServer, backend: HaproxyBackend, *, way: Way) -> Bound | None:
    """Until a load balancer stops sending to a server; None where its checks never fail.

    Checks are ``inter`` apart from the end of one to the start of the next, ``fastinter`` apart
    once one has failed (haproxy src/check.c, process_chk_conn: expire = now + srv_getinter).

    An API server that has ended refuses at first, and is soon started again: then it listens
    before it serves (apiserver pkg/server/options/serving.go, ApplyTo), and is met like a hung one.
    """
    least_s = _check_lasts_s(server, backend, way=way) if server.check else None
    again = Way.HUNG if way is Way.ENDED else way
    most_s = _check_lasts_s(server, backend, way=again) if server.check else None
    if least_s is None or most_s is None:
        return None
    gaps_s = (server.fall - 1) * _fast_s(server)
    each = f"{least_s:g}" if least_s == most_s else f"{least_s:g} to {most_s:g}"
    return Bound(
        low_s=gaps_s + server.fall * least_s,
        high_s=server.inter_s + gaps_s + server.fall * most_s,
        formula=(
            f"HAProxy down: up to inter {server.inter_s:g} s + fall {server.fall} checks of "
            f"{each} s, {_fast_s(server):g} s apart"
        ),
    )


def haproxy_leaves_without_etcd(
    server: HaproxyServer, backend: HaproxyBackend, *, etcd_check_s: float
) -> Bound | None:
    """The same for an API server whose etcd does not answer; None where its checks do not ask.

    A refused etcd is asked again until the check's time is up (clientv3 options.go: 100 retries
    25 ms apart), so that both last equally long. The API server asks etcd once in half of
    ``etcd_check_s``, each time for that long, and repeats its last answer in between: only when
    such a question has failed does every later check of it fail.
    """
    if not server.check or not (backend.check_path or "").startswith(ASKS_ETCD):
        return None
    each_s = min(_read_s(server, backend), etcd_check_s)
    gaps_s = (server.fall - 1) * _fast_s(server)
    known_s = 0.5 * etcd_check_s + server.inter_s + etcd_check_s
    return Bound(
        low_s=each_s + gaps_s,
        high_s=known_s + server.inter_s + server.fall * each_s + gaps_s,
        formula=(
            f"API server not ready: up to {0.5 * etcd_check_s:g} s + inter {server.inter_s:g} s "
            f"until it asks etcd, {etcd_check_s:g} s until it knows; HAProxy down: up to inter "
            f"{server.inter_s:g} s + fall {server.fall} checks of {each_s:g} s, "
            f"{_fast_s(server):g} s apart"
        ),
    )


def haproxy_marks_up(server: HaproxyServer) -> Bound | None:
    """Until a server that is healthy again gets traffic; None where it is not checked.

    ``downinter`` counts while it is down, ``fastinter`` between its first success and the last.
    """
    if not server.check:
        return None
    down_s = server.inter_s if server.downinter_s is None else server.downinter_s
    low_s = (server.rise - 1) * _fast_s(server)
    formula = (
        f"HAProxy up: up to {down_s:g} s + rise {server.rise} checks {_fast_s(server):g} s apart"
    )
    return Bound(low_s=low_s, high_s=down_s + low_s, formula=formula)


def tries_another_after_s(backend: HaproxyBackend, *, way: Way) -> float | None:
    """How long a new connection is kept from another server by one that does not take it.

    None: for ever. The ``redispatch_after``-th retry goes elsewhere; those before it to the same
    server (configuration.txt, "option redispatch"; round robin may leave it sooner).
    """
    after = backend.redispatch_after
    nth = after if after > 0 else backend.retries + 1 + after
    if not backend.redispatch or after == 0 or not 1 <= nth <= backend.retries:
        return None
    connect_s = backend.timeout_connect_s
    if way is Way.SILENT:
        return None if connect_s is None else nth * connect_s
    return (nth - 1) * min(TURN_AROUND_S, TURN_AROUND_S if connect_s is None else connect_s)


def _check_lasts_s(server: HaproxyServer, backend: HaproxyBackend, *, way: Way) -> float | None:
    """How long one check of such a server lasts until it fails; None: it succeeds.

    A connection may take the smaller of ``inter`` and ``timeout connect``, TLS included, and the
    answer another ``timeout check``; where that is not set, ``inter`` is for both
    (configuration.txt, "timeout check"; src/tcpcheck.c, tcpcheck_eval_connect).
    """
    if way is Way.ENDED:
        return 0.0
    if way is Way.LEFT:
        return 0.0 if (backend.check_path or "").startswith(SAYS_NOT_READY) else None
    if way is Way.SILENT or server.check_ssl:
        if backend.timeout_check_s is None or backend.timeout_connect_s is None:
            return server.inter_s
        return min(server.inter_s, backend.timeout_connect_s)
    return _read_s(server, backend) if backend.check_path else None


def _read_s(server: HaproxyServer, backend: HaproxyBackend) -> float:
    return server.inter_s if backend.timeout_check_s is None else backend.timeout_check_s


def _fast_s(server: HaproxyServer) -> float:
    return server.inter_s if server.fastinter_s is None else server.fastinter_s
