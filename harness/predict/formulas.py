"""How long each component takes, from its own timers. Every bound counts from the fault.

Ideal timers: what is measured may be a little more (scheduling, round trips), never less. The
formulas of load balancers are in balancing.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from quorate.harness.predict.facts import (
    ElectionFacts,
    EtcdFacts,
    KubeletFacts,
    LifecycleFacts,
    VrrpInstance,
    VrrpScript,
)

READ_INDEX_RETRY_S = 0.5
"""A linearizable read without a leader is asked again (etcd v3_server.go readIndexRetryTime)."""

JITTER = 1.2
"""client-go waits between its retries for up to this much more (leaderelection.go JitterFactor)."""

RELIST_S = 1.0
"""kubelet asks the runtime for its containers so often (kubelet.go genericPlegRelistPeriod)."""

ENDPOINTS_S = 2.0
"""Until no node sends to a pod that is not ready or is ending: EndpointSlice controller and
kube-proxy, whose minSyncPeriod is 1 s (reference/timings_and_slos.md §1.4, W2 less W1)."""


@dataclass(frozen=True)
class Bound:
    """[``low_s``, ``high_s``] in seconds, and the formula with its numbers."""

    low_s: float
    high_s: float
    formula: str


def widest(bounds: Sequence[Bound]) -> Bound | None:
    """What holds for each of several that do the same; the formula is the slowest one's."""
    if not bounds:
        return None
    slowest = max(bounds, key=lambda one: one.high_s)
    return Bound(min(one.low_s for one in bounds), slowest.high_s, slowest.formula)


def vrrp_skew_s(instance: VrrpInstance) -> float:
    """(256 − priority)/256, times the advert interval in version 3 (RFC 5798, vrrp.h)."""
    share = (256 - instance.priority) / 256
    return share * instance.advert_int_s if instance.version == 3 else share


def vrrp_takeover(backups: Sequence[VrrpInstance]) -> Bound | None:
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


def vrrp_goodbye(backups: Sequence[VrrpInstance]) -> Bound | None:
    """The holder says goodbye with priority 0: a backup waits for its skew alone (vrrp.c).

    None where there is no backup.
    """
    if not backups:
        return None
    first = min(backups, key=vrrp_skew_s)
    skew_s = vrrp_skew_s(first)
    formula = f"VRRP: a goodbye, then skew {skew_s:.2f} s (priority {first.priority})"
    return Bound(skew_s, skew_s, formula)


def _down_timer_s(instance: VrrpInstance) -> float:
    return instance.down_timer_adverts * instance.advert_int_s + vrrp_skew_s(instance)


def vrrp_script_fails(script: VrrpScript, *, hung: bool) -> Bound:
    """What a script checks is gone: until keepalived knows.

    It is started once in ``interval``; ``fall`` runs in a row must fail. One that waits for an
    answer fails at its own limit, which only the script knows, or at ``timeout`` (vrrp_track.h;
    the interval where none is given).
    """
    each_s = (script.timeout_s or script.interval_s) if hung else 0.0
    low_s = (script.fall - 1) * script.interval_s
    lasts = f", each up to {each_s:g} s" if hung else ""
    return Bound(
        low_s=low_s,
        high_s=script.interval_s + low_s + each_s,
        formula=(
            f"vrrp_script {script.name}: fall {script.fall} runs {script.interval_s:g} s apart"
            f"{lasts}, the first within {script.interval_s:g} s"
        ),
    )


def vrrp_gives_up(
    script: VrrpScript, *, holder: VrrpInstance, backups: Sequence[VrrpInstance], hung: bool
) -> Bound | None:
    """Until another node has the VIP because the holder's script fails; None: it never has.

    Weight 0 puts the holder into FAULT, which says goodbye. Any other weight only lowers its
    priority: a backup that now has more waits out its timer, and one with ``nopreempt`` does
    nothing at all (keepalived vrrp.c, vrrp_state_backup).
    """
    if script.weight == 0:
        moved = vrrp_goodbye(backups)
    else:
        lowered = holder.priority + min(script.weight, 0)
        gain = max(script.weight, 0)
        able = [one for one in backups if one.priority + gain > lowered and not one.nopreempt]
        moved = vrrp_takeover(able)
    if moved is None:
        return None
    noticed = vrrp_script_fails(script, hung=hung)
    formula = f"{noticed.formula}; then {moved.formula}"
    return Bound(noticed.low_s + moved.low_s, noticed.high_s + moved.high_s, formula)


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


def lease_takeover(lease_s: float, *, standbys: Mapping[str, ElectionFacts]) -> Bound | None:
    """A leader that renews no more: until another one holds its lease; None without a standby.

    The lease was renewed up to one retry period before. A standby counts its length from when it
    saw that, and looks once in ``retry · (1 to 1 + JITTER)``, before and after (leaderelection.go).
    """
    able = [one for one in standbys.values() if one.elects]
    if not able:
        return None
    retry_s = max(one.retry_s for one in able)
    look_s = retry_s * (1 + JITTER)
    return Bound(
        low_s=lease_s - retry_s,
        high_s=lease_s + 2 * look_s,
        formula=(
            f"lease {lease_s:g} s − up to one renewal {retry_s:g} s ago, + up to two looks of a "
            f"standby {look_s:g} s apart"
        ),
    )


def node_given_up(lifecycle: LifecycleFacts, kubelet: KubeletFacts) -> Bound | None:
    """A node falls silent: until it is no longer Ready; None where the grace is not known.

    Its last heartbeat was up to one interval before; the controller looks once in its monitor
    period (node_lifecycle_controller.go).
    """
    if lifecycle.grace_s is None:
        return None
    return Bound(
        low_s=lifecycle.grace_s - kubelet.beat_s,
        high_s=lifecycle.grace_s + lifecycle.monitor_s,
        formula=(
            f"node grace {lifecycle.grace_s:g} s − up to one heartbeat {kubelet.beat_s:g} s ago, "
            f"+ up to one look of {lifecycle.monitor_s:g} s"
        ),
    )
