"""The virtual IP: VRRP between the load balancers."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from quorate.harness.audit.facts import AuditFacts
from quorate.harness.audit.rule import BLOCKING, WARNING, Found, rule
from quorate.harness.model.cluster import Role
from quorate.harness.predict.cluster_facts import KEEPALIVED, of
from quorate.harness.predict.facts import VrrpInstance, VrrpScript
from quorate.harness.predict.formulas import vrrp_gives_up, vrrp_script_fails, vrrp_takeover

SCRIPT_S = 6.0
"""fall · interval (reference/timings_and_slos.md §5)."""
TAKEOVER_S = 5.0
"""Acceptable of a VIP whose holder is gone (ibid., §1.1, L1)."""


def _backups(facts: AuditFacts, node: str) -> list[VrrpInstance]:
    return [one for other, one in facts.vrrp.items() if other != node]


def _scripts(facts: AuditFacts) -> Iterator[tuple[str, VrrpInstance, VrrpScript]]:
    for node, one in facts.vrrp.items():
        scripts = facts.configuration.keepalived[node].scripts
        for name in one.track_scripts:
            if name in scripts:
                yield node, one, scripts[name]


def _where(node: str, instance: VrrpInstance) -> str:
    return f"{of(KEEPALIVED, node)}, vrrp_instance {instance.name}"


def _addresses(instance: VrrpInstance) -> frozenset[str]:
    return frozenset(one.split("/")[0] for one in instance.virtual_addresses)


def _network(instance: VrrpInstance) -> tuple[str, int, bool]:
    """What an advert is known by; IPv4 and IPv6 have their own (RFC 9568, 1.2)."""
    six = any(":" in address for address in _addresses(instance))
    return instance.interface, instance.virtual_router_id, six


def _all_read(facts: AuditFacts) -> bool:
    balancers = facts.cluster.with_role(Role.LOAD_BALANCER)
    return all(node.name in facts.configuration.keepalived for node in balancers)


@rule(
    "vip-not-held-once",
    BLOCKING,
    "no node, or more than one, holds the virtual IP now",
    fix="look at keepalived on the nodes named; at the network between them where two hold it",
)
def not_held_once(facts: AuditFacts) -> Iterator[Found]:
    holders = facts.vip_holders
    if holders is not None and len(holders) != 1:
        address = facts.configuration.virtual_address
        said = ", ".join(holders) or "nobody"
        yield Found("vip", f"{address} is held by {said}", "ip addr", f"{len(holders)} holders")


@rule(
    "vip-without-backup",
    BLOCKING,
    "fewer than two nodes have a vrrp_instance with the virtual IP",
    fix="run keepalived with the same instance on two load balancers or more",
)
def without_backup(facts: AuditFacts) -> Iterator[Found]:
    if _all_read(facts) and len(facts.vrrp) < 2:
        said = ", ".join(facts.vrrp) or "nobody"
        title = "nobody takes it over when its holder is gone"
        yield Found("vip", title, KEEPALIVED, f"configured on {said}")


@rule(
    "vip-instance-missing",
    WARNING,
    "a keepalived that has no vrrp_instance with the virtual IP: it takes nothing over",
    fix="give it the same instance as the others, with a priority of its own",
)
def instance_missing(facts: AuditFacts) -> Iterator[Found]:
    for node in facts.configuration.keepalived:
        if node not in facts.vrrp:
            title = f"never takes {facts.configuration.virtual_address} over"
            yield Found(node, title, of(KEEPALIVED, node), "no vrrp_instance with it")


@rule(
    "vrrp-same-priority",
    BLOCKING,
    "two nodes have the same priority: both take the VIP at the same moment",
    cost="until one of them takes it over, and then for a moment both",
    fix="give each node a priority of its own",
)
def same_priority(facts: AuditFacts) -> Iterator[Found]:
    by_priority: dict[int, list[str]] = {}
    for node, one in facts.vrrp.items():
        by_priority.setdefault(one.priority, []).append(node)
    for priority, nodes in by_priority.items():
        if len(nodes) > 1:
            title = f"{', '.join(nodes)} wait equally long and take the VIP at once"
            cost = vrrp_takeover([facts.vrrp[node] for node in nodes])
            yield Found("vip", title, KEEPALIVED, f"priority {priority}", cost)


@rule(
    "vrrp-advert-mismatch",
    BLOCKING,
    "adverts of different intervals: in VRRP 2 they are dropped, and two nodes hold the VIP",
    fix="give all nodes the same advert_int, vrrp_down_timer_adverts and version",
)
def advert_mismatch(facts: AuditFacts) -> Iterator[Found]:
    each = {
        node: f"advert_int {one.advert_int_s:g} · {one.down_timer_adverts}, version {one.version}"
        for node, one in sorted(facts.vrrp.items())
    }
    if len(set(each.values())) > 1:
        said = "; ".join(f"{node}: {text}" for node, text in each.items())
        title = "its nodes do not announce alike: what does not fit is dropped"
        yield Found("vip", title, KEEPALIVED, said)


@rule(
    "vrrp-id-clash",
    BLOCKING,
    "two instances with one virtual_router_id on one interface, for different addresses",
    fix="give each instance of a network a virtual_router_id of its own",
)
def id_clash(facts: AuditFacts) -> Iterator[Found]:
    instances = [
        (node, one)
        for node, found in sorted(facts.configuration.keepalived.items())
        for one in found.instances
    ]
    clashes: dict[tuple[str, int], set[str]] = {}
    for (node, one), (other_node, other) in combinations(instances, 2):
        if _network(one) == _network(other) and _addresses(one) != _addresses(other):
            who = clashes.setdefault((one.interface, one.virtual_router_id), set())
            who |= {f"{one.name} on {node}", f"{other.name} on {other_node}"}
    for (interface, number), who in sorted(clashes.items()):
        title = f"instances on {interface} share an id and take each other's adverts for theirs"
        found = f"virtual_router_id {number}: {', '.join(sorted(who))}"
        yield Found("vip", title, KEEPALIVED, found)


@rule(
    "vrrp-peers-incomplete",
    WARNING,
    "unicast_peer does not name every other node that may hold the VIP",
    fix="name all other load balancers as unicast_peer on each of them",
)
def peers(facts: AuditFacts) -> Iterator[Found]:
    for node, one in facts.vrrp.items():
        others = [facts.cluster.node(name) for name in facts.vrrp if name != node]
        lacking = [other.name for other in others if other.address not in one.unicast_peers]
        if one.unicast_peers and lacking:
            title = f"does not tell {', '.join(lacking)} that it holds the VIP"
            said = f"unicast_peer {', '.join(one.unicast_peers)}"
            yield Found(node, title, _where(node, one), said)


@rule(
    "vrrp-nopreempt-ignored",
    WARNING,
    "nopreempt with state MASTER: keepalived ignores it, and a return moves the VIP again",
    fix="state BACKUP on every node",
)
def nopreempt(facts: AuditFacts) -> Iterator[Found]:
    for node, one in facts.vrrp.items():
        if one.nopreempt and one.state == "MASTER":
            title = "nopreempt counts only where the state is BACKUP"
            yield Found(node, title, _where(node, one), "state MASTER, nopreempt")


@rule(
    "vrrp-takeover-slow",
    WARNING,
    f"the VIP of a holder that is gone stays away for longer than {TAKEOVER_S:g} s",
    cost="until a backup has the VIP",
    fix="advert_int 1, or VRRP 3 with less",
)
def takeover_slow(facts: AuditFacts) -> Iterator[Found]:
    bounds = [vrrp_takeover(_backups(facts, node)) for node in facts.vrrp]
    known = [one for one in bounds if one is not None]
    if known and max(one.high_s for one in known) > TAKEOVER_S:
        slowest = max(known, key=lambda one: one.high_s)
        said = ", ".join(f"{node} {one.advert_int_s:g}" for node, one in sorted(facts.vrrp.items()))
        title = "is slow to move when its holder is gone"
        yield Found("vip", title, KEEPALIVED, f"advert_int {said}", slowest)


@rule(
    "vrrp-no-script",
    BLOCKING,
    "the VIP stays on a node whose load balancer is dead: no script is tracked",
    fix="vrrp_script that asks the load balancer itself, and track_script",
)
def no_script(facts: AuditFacts) -> Iterator[Found]:
    for node, one in facts.vrrp.items():
        known = facts.configuration.keepalived[node].scripts
        if not any(name in known for name in one.track_scripts):
            title = "keeps the VIP where no load balancer answers"
            said = f"track_script {', '.join(one.track_scripts) or 'nothing'}"
            yield Found(node, title, _where(node, one), said)


@rule(
    "vrrp-script-slow",
    WARNING,
    f"the script that checks the load balancer needs longer than {SCRIPT_S:g} s (fall · interval)",
    cost="until the VIP has left a node whose load balancer is dead",
    fix="interval 1, fall 2",
)
def script_slow(facts: AuditFacts) -> Iterator[Found]:
    for node, one, script in _scripts(facts):
        if script.fall * script.interval_s <= SCRIPT_S:
            continue
        moved = vrrp_gives_up(script, holder=one, backups=_backups(facts, node), hung=False)
        cost = moved or vrrp_script_fails(script, hung=False)
        title = (
            f"its script needs {cost.low_s:.1f} to {cost.high_s:.1f} s to move the VIP from a dead "
            "load balancer; no experiment needed"
        )
        where = f"{of(KEEPALIVED, node)}, vrrp_script {script.name}"
        said = f"interval {script.interval_s:g}, fall {script.fall}, weight {script.weight}"
        yield Found(node, title, where, said, cost)


@rule(
    "vrrp-script-without-effect",
    BLOCKING,
    "the script's weight does not bring the holder below any backup: the VIP never moves",
    fix="weight 0, or a drop larger than the distance between the priorities",
)
def without_effect(facts: AuditFacts) -> Iterator[Found]:
    for node, one, script in _scripts(facts):
        backups = _backups(facts, node)
        highest = one.priority == max(each.priority for each in facts.vrrp.values())
        moved = vrrp_gives_up(script, holder=one, backups=backups, hung=False)
        if backups and highest and moved is None:
            title = "keeps the VIP although its script fails"
            where = f"{of(KEEPALIVED, node)}, vrrp_script {script.name}"
            yield Found(node, title, where, f"weight {script.weight}, priority {one.priority}")


@rule(
    "vrrp-script-outlasts-interval",
    WARNING,
    "the script may run for longer than its interval: a hung load balancer is noticed late",
    cost="until keepalived knows that a load balancer hangs",
    fix="timeout no longer than interval",
)
def outlasts(facts: AuditFacts) -> Iterator[Found]:
    for node, _, script in _scripts(facts):
        if script.timeout_s is not None and script.timeout_s > script.interval_s:
            where = f"{of(KEEPALIVED, node)}, vrrp_script {script.name}"
            said = f"timeout {script.timeout_s:g}, interval {script.interval_s:g}"
            cost = vrrp_script_fails(script, hung=True)
            title = "its script may outlast its interval"
            yield Found(node, title, where, said, cost)


RULES = (
    not_held_once,
    without_backup,
    instance_missing,
    same_priority,
    advert_mismatch,
    id_clash,
    peers,
    nopreempt,
    takeover_slow,
    no_script,
    script_slow,
    without_effect,
    outlasts,
)
