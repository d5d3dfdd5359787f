"""etcd: who is a member, where, and in what state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from quorate.harness.audit.facts import AuditFacts, Backup
from quorate.harness.audit.rule import BLOCKING, UNKNOWN, WARNING, Found, rule
from quorate.harness.model.cluster import Role
from quorate.harness.model.etcd_members import EtcdMember
from quorate.harness.predict.cluster_facts import ETCD, of
from quorate.harness.predict.formulas import etcd_election

LIST = "etcdctl member list"
QUOTA_BYTES = 2 * 1024**3
"""etcd's default of --quota-backend-bytes (server/storage/quota.go)."""
FULL_SHARE = 0.8
ELECTION_S = 3.0
"""Acceptable of a write stall (reference/timings_and_slos.md §1.2, E1)."""


def _members(facts: AuditFacts) -> tuple[EtcdMember, ...]:
    return facts.etcd.members or ()


def _voters(facts: AuditFacts) -> list[EtcdMember]:
    return [one for one in _members(facts) if not one.learner]


def _name(member: EtcdMember) -> str:
    return member.name or f"member {member.id}"


@rule(
    "etcd-members-few",
    BLOCKING,
    "fewer than three voting members: the loss of one stops the cluster",
    fix="run three voting members on three machines; five to survive the loss of two",
)
def few(facts: AuditFacts) -> Iterator[Found]:
    voters = _voters(facts)
    if voters and len(voters) < 3:
        title = f"{len(voters)} voting member(s): the loss of one stops the cluster"
        yield Found("etcd", title, LIST, ", ".join(map(_name, voters)))


@rule(
    "etcd-members-even",
    BLOCKING,
    "an even number of voting members: one more to lose, and none more that may be lost",
    fix="add or remove one voting member",
)
def even(facts: AuditFacts) -> Iterator[Found]:
    voters = _voters(facts)
    if len(voters) > 2 and len(voters) % 2 == 0:
        spare = (len(voters) - 1) // 2
        title = f"{len(voters)} voting members survive the loss of {spare}, as {len(voters) - 1} do"
        yield Found("etcd", title, LIST, ", ".join(map(_name, voters)))


@rule(
    "etcd-learner",
    BLOCKING,
    "a learner: it holds data, and has no vote",
    fix="etcdctl member promote ID, or member remove ID where it is forgotten",
)
def learner(facts: AuditFacts) -> Iterator[Found]:
    for one in _members(facts):
        if one.learner:
            title = "is a learner: its vote does not count towards the quorum"
            yield Found(_name(one), title, LIST, f"isLearner true, id {one.id}")


@rule(
    "etcd-member-not-started",
    BLOCKING,
    "a member that was added and never started: it counts for the quorum and is not there",
    fix="start it, or etcdctl member remove ID",
)
def not_started(facts: AuditFacts) -> Iterator[Found]:
    for one in _members(facts):
        if not one.name:
            found = f"no name, peer {', '.join(one.peer_hosts)}"
            yield Found(_name(one), "was added and never started", LIST, found)


@rule(
    "etcd-member-misplaced",
    BLOCKING,
    "a member whose peer address is no etcd node's of cluster.yaml, or that shares its machine",
    fix="one member on each etcd machine: remove the one that is too many, add it where it belongs",
)
def misplaced(facts: AuditFacts) -> Iterator[Found]:
    nodes = facts.cluster.with_role(Role.ETCD)
    places = {host: node.name for node in nodes for host in (node.address, node.name)}
    counted = Counter(host for one in _members(facts) for host in set(one.peer_hosts))
    for one in _members(facts):
        found = f"peer {', '.join(one.peer_hosts)}"
        if not any(host in places for host in one.peer_hosts):
            title = "its peer address is that of no etcd node of cluster.yaml"
            yield Found(_name(one), title, LIST, found)
        shared = [host for host in one.peer_hosts if counted[host] > 1]
        if shared:
            title = f"shares {places.get(shared[0], shared[0])} with another member"
            yield Found(_name(one), title, LIST, found)


@rule(
    "etcd-node-without-member",
    BLOCKING,
    "an etcd node of cluster.yaml on which no member lives",
    fix="add its member, or take the role etcd from the node in cluster.yaml",
)
def without_member(facts: AuditFacts) -> Iterator[Found]:
    if facts.etcd.members is None:
        return
    hosts = {host for one in _members(facts) for host in one.peer_hosts}
    for node in facts.cluster.with_role(Role.ETCD):
        if not hosts & {node.address, node.name}:
            title = "has the role etcd and no member"
            yield Found(node.name, title, LIST, f"peers {', '.join(sorted(hosts))}")


@rule(
    "etcd-alarm",
    BLOCKING,
    "an alarm (NOSPACE stops all writes, CORRUPT means that members differ)",
    fix="NOSPACE: compact, defragment, etcdctl alarm disarm; CORRUPT: replace the member",
)
def alarm(facts: AuditFacts) -> Iterator[Found]:
    for one in facts.etcd.alarms or ():
        yield Found("etcd", "raises an alarm", "etcdctl alarm list", one)


@rule(
    "etcd-no-leader",
    BLOCKING,
    "a member that knows no leader",
    fix="look at its log: it reaches no majority of the members",
)
def no_leader(facts: AuditFacts) -> Iterator[Found]:
    for node, status in facts.etcd.statuses.items():
        if not status.leader:
            yield Found(node, "its member knows no leader", "etcdctl endpoint status", "leader 0")


@rule(
    "etcd-versions-differ",
    BLOCKING,
    "members of different versions",
    fix="finish the upgrade, one member at a time",
)
def versions(facts: AuditFacts) -> Iterator[Found]:
    found = {node: one.version for node, one in sorted(facts.etcd.statuses.items())}
    if len(set(found.values())) > 1:
        said = ", ".join(f"{node} {version}" for node, version in found.items())
        yield Found("etcd", "its members differ in version", "etcdctl endpoint status", said)


@rule(
    "etcd-timers-differ",
    WARNING,
    "heartbeat or election timeout is not the same on all members",
    fix="give all members the same --heartbeat-interval and --election-timeout",
)
def timers(facts: AuditFacts) -> Iterator[Found]:
    each = facts.configuration.etcd
    if len(set(each.values())) > 1:
        said = ", ".join(
            f"{node} {one.heartbeat_s * 1000:g}/{one.election_s * 1000:g} ms"
            for node, one in sorted(each.items())
        )
        yield Found("etcd", "its members differ in their timers", ETCD, said)


@rule(
    "etcd-election-slow",
    WARNING,
    f"an election may take longer than {ELECTION_S:g} s",
    cost="election of a new leader",
    fix="lower --election-timeout (at least ten round trips and five heartbeats)",
)
def election(facts: AuditFacts) -> Iterator[Found]:
    for node, one in facts.configuration.etcd.items():
        bound = etcd_election(one)
        if bound.high_s > ELECTION_S:
            title = "its timers make an election slow: nothing is written meanwhile"
            said = f"--election-timeout={one.election_s * 1000:g}"
            yield Found(node, title, of(ETCD, node), said, bound)


@rule(
    "etcd-almost-full",
    WARNING,
    f"the database takes more than {FULL_SHARE:.0%} of its quota; at 100 % all writes stop",
    fix="compact and defragment, or raise --quota-backend-bytes",
)
def almost_full(facts: AuditFacts) -> Iterator[Found]:
    for node, one in facts.etcd.statuses.items():
        share = one.db_bytes / (one.quota_bytes or QUOTA_BYTES)
        if share > FULL_SHARE:
            said = f"dbSize {one.db_bytes} bytes, {share:.0%} of the quota"
            yield Found(node, "its database is almost full", "etcdctl endpoint status", said)


def _newest(facts: AuditFacts) -> Backup | None:
    return min(facts.etcd.backups or (), key=lambda one: one.age_s, default=None)


@rule(
    "etcd-backup-old",
    BLOCKING,
    "the newest snapshot is older than asked (--backup-max-age, 24 h)",
    fix="mend what takes the snapshots; try a restore with it",
)
def backup_old(facts: AuditFacts) -> Iterator[Found]:
    newest = _newest(facts)
    if newest is not None and newest.age_s > facts.terms.backup_max_age_s:
        title = f"the newest backup is older than {facts.terms.backup_max_age_s / 3600:g} h"
        said = f"{newest.age_s / 3600:.1f} h old"
        yield Found("etcd", title, f"{newest.path} on {newest.node}", said)


@rule(
    "etcd-backup-not-found",
    UNKNOWN,
    "no snapshot was found where snapshots were looked for",
    fix="say where they lie on the etcd nodes with --backup PATTERN, or take some",
)
def backup_not_found(facts: AuditFacts) -> Iterator[Found]:
    if facts.etcd.backups == ():
        where = ", ".join(facts.terms.backup_places)
        yield Found("etcd", "no backup was found on its nodes", where, "no file")


RULES = (
    few,
    even,
    learner,
    not_started,
    misplaced,
    without_member,
    alarm,
    no_leader,
    versions,
    timers,
    election,
    almost_full,
    backup_old,
    backup_not_found,
)
