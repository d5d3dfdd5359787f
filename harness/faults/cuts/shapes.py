"""Partitions as sets of lost links; pure.

A link is (sender, receiver): what the sender sends does not arrive. A partition in two directions
holds both. Nothing here knows what a member is; quorums are those of raft.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import combinations, permutations
from typing import Literal

Link = tuple[str, str]
Links = frozenset[Link]
Way = Literal["both", "in", "out"]


def between(groups: Sequence[Collection[str]]) -> Links:
    """Members of different groups lose each other; those of one group keep each other."""
    return frozenset(
        link
        for one, other in combinations(groups, 2)
        for a in one
        for b in other
        for link in ((a, b), (b, a))
    )


def alone(members: Collection[str], *, hit: Collection[str]) -> Links:
    """Each hit member loses everybody, other hit ones too."""
    return frozenset(link for link in permutations(members, 2) if link[0] in hit or link[1] in hit)


def together(members: Collection[str], *, hit: Collection[str]) -> Links:
    """The hit members on one side, all others on the other."""
    return between([[m for m in members if m in hit], [m for m in members if m not in hit]])


def bridge(members: Collection[str], *, hit: Collection[str]) -> Links:
    """Everybody keeps the hit members and loses everybody else."""
    return frozenset(
        link for link in permutations(members, 2) if link[0] not in hit and link[1] not in hit
    )


def one_way(links: Links, *, hit: Collection[str], way: Way) -> Links:
    """Of a partition only what hit members send ("out"), or what is sent to them ("in")."""
    if way == "both":
        return links
    end = 0 if way == "out" else 1
    return frozenset(link for link in links if link[end] in hit)


def parse_groups(text: str, *, members: Collection[str]) -> list[list[str]]:
    """ "a b | c" → [[a, b], [c]]; ValueError unless every member is in exactly one group."""
    groups = [part.replace(",", " ").split() for part in text.split("|")]
    named = [name for group in groups for name in group]
    if len(groups) < 2 or not all(groups):
        raise ValueError("two groups or more, divided by |, none of them empty")
    if sorted(named) != sorted(members):
        raise ValueError(f"every member in exactly one group; members: {', '.join(members)}")
    return groups


def may_lead(members: Collection[str], *, lost: Links) -> tuple[str, ...]:
    """The members that hear a majority, and are heard by it: only such a one can lead.

    A majority of n is n // 2 + 1 and counts the member itself (raft, §5.2; etcd FAQ).
    """
    needed = len(members) // 2 + 1
    return tuple(m for m in members if len(heard(m, members, lost=lost)) >= needed)


def led(members: Collection[str], *, lost: Links) -> tuple[str, ...]:
    """The members that can have a leader: those that talk with one that may lead."""
    leaders = set(may_lead(members, lost=lost))
    return tuple(m for m in members if leaders & heard(m, members, lost=lost))


def receivers(links: Iterable[Link]) -> dict[str, tuple[str, ...]]:
    """Receiver → the senders whose packets it must drop, both sorted."""
    senders: dict[str, set[str]] = {}
    for sender, receiver in links:
        senders.setdefault(receiver, set()).add(sender)
    return {receiver: tuple(sorted(senders[receiver])) for receiver in sorted(senders)}


def heard(member: str, members: Collection[str], *, lost: Links) -> set[str]:
    """Those that talk with a member in both directions, and itself."""
    return {m for m in members if (m, member) not in lost and (member, m) not in lost}
