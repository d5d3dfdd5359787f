"""How long each component takes, from its own timers. Every bound counts from the fault.

Ideal timers: what is measured may be a little more (scheduling, round trips), never less.
"""

from __future__ import annotations

from dataclasses import dataclass

from quorate.harness.predict.facts import EtcdFacts, HaproxyBackend, HaproxyServer, VrrpInstance

READ_INDEX_RETRY_S = 0.5
"""A linearizable read without a leader is asked again (etcd v3_server.go readIndexRetryTime)."""


@dataclass(frozen=True)
class Bound:
    """[``low_s``, ``high_s``] in seconds, and the formula with its numbers."""

    low_s: float
    high_s: float
    formula: str


def vrrp_skew_s(instance: VrrpInstance) -> float:
    """(256 − priority)/256, times the advert interval in version 3 (RFC 5798, vrrp.h)."""
    share = (256 - instance.priority) / 256
    return share * instance.advert_int_s if instance.version == 3 else share


def vrrp_takeover(backups: tuple[VrrpInstance, ...]) -> Bound | None:
    """The holder falls silent: a backup waits ``adverts · advert_int + skew``.

    The last advert is up to one interval old when the fault strikes. The backup with the shortest
    timer wins (keepalived vrrp.h, VRRP_MS_DOWN_TIMER). None where there is no backup.
    """
    if not backups:
        return None
    first = min(backups, key=_down_timer_s)
    down_s, advert_s = _down_timer_s(first), first.advert_int_s
    skew = vrrp_skew_s(first)
    return Bound(
        low_s=down_s - advert_s,
        high_s=down_s,
        formula=(
            f"VRRP: {first.down_timer_adverts} · {advert_s:g} s + skew {skew:.2f} s "
            f"(priority {first.priority}) − up to one advert of {advert_s:g} s"
        ),
    )


def _down_timer_s(instance: VrrpInstance) -> float:
    return instance.down_timer_adverts * instance.advert_int_s + vrrp_skew_s(instance)


def haproxy_marks_down(
    server: HaproxyServer, backend: HaproxyBackend, *, silent: bool
) -> Bound | None:
    """Until a load balancer stops sending to a dead server; None where it does not check.

    Checks are ``inter`` apart from the end of one to the start of the next, ``fastinter`` apart
    once one has failed (haproxy src/check.c, process_chk_conn: expire = now + srv_getinter).

    Args:
        silent: the server's machine answers nothing, so each check lasts until its timeout:
            ``inter``, or ``timeout connect`` where that is shorter and ``timeout check`` is set
            (configuration.txt, "timeout check"). Else it is refused at once.
    """
    if not server.check:
        return None
    each_s = _check_lasts_s(server, backend) if silent else 0.0
    fast_s = server.inter_s if server.fastinter_s is None else server.fastinter_s
    low_s = each_s + (server.fall - 1) * (fast_s + each_s)
    return Bound(
        low_s=low_s,
        high_s=server.inter_s + low_s,
        formula=(
            f"HAProxy down: up to inter {server.inter_s:g} s + fall {server.fall} checks of "
            f"{each_s:g} s, {fast_s:g} s apart"
        ),
    )


def _check_lasts_s(server: HaproxyServer, backend: HaproxyBackend) -> float:
    if backend.timeout_check_s is None or backend.timeout_connect_s is None:
        return server.inter_s
    return min(server.inter_s, backend.timeout_connect_s)


def haproxy_marks_up(server: HaproxyServer) -> Bound | None:
    """Until a server that is healthy again gets traffic; None where it is not checked.

    ``downinter`` counts while it is down, ``fastinter`` between its first success and the last.
    """
    if not server.check:
        return None
    down_s = server.inter_s if server.downinter_s is None else server.downinter_s
    fast_s = server.inter_s if server.fastinter_s is None else server.fastinter_s
    low_s = (server.rise - 1) * fast_s
    return Bound(
        low_s=low_s,
        high_s=down_s + low_s,
        formula=(f"HAProxy up: up to {down_s:g} s + rise {server.rise} checks {fast_s:g} s apart"),
    )


def etcd_election(facts: EtcdFacts) -> Bound:
    """The leader falls silent: the first follower's randomised timeout, then a read asks again.

    Timeouts lie in [election, 2 · election) and count from the last heartbeat, up to one heartbeat
    before the fault (raft.go resetRandomizedElectionTimeout; PreVote and CheckQuorum on). Split
    votes cost a further round and are outside this bound.
    """
    low_s = facts.election_s - facts.heartbeat_s
    high_s = 2 * facts.election_s + READ_INDEX_RETRY_S
    return Bound(
        low_s=low_s,
        high_s=high_s,
        formula=(
            f"etcd election: {facts.election_s:g} to {2 * facts.election_s:g} s − up to one "
            f"heartbeat of {facts.heartbeat_s:g} s, + {READ_INDEX_RETRY_S:g} s until a retry"
        ),
    )
