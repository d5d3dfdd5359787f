"""Partition shapes: what holds for every cluster of up to five members, all of them looked at."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, combinations, permutations

import pytest

from quorate.harness.faults.cuts.shapes import (
    alone,
    between,
    bridge,
    led,
    may_lead,
    one_way,
    parse_groups,
    receivers,
    together,
)

SIZES = (1, 2, 3, 4, 5)
SHAPES = (alone, together, bridge)


def members_of(size: int) -> tuple[str, ...]:
    return tuple(f"cp{n}" for n in range(1, size + 1))


def cases() -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Every set of hit members of every size of cluster."""
    for size in SIZES:
        members = members_of(size)
        for hit in chain.from_iterable(combinations(members, n) for n in range(size + 1)):
            yield members, hit


def groupings(members: tuple[str, ...]) -> Iterator[list[list[str]]]:
    """Every way to part the members in groups (set partitions)."""
    if not members:
        yield []
        return
    first, rest = members[0], members[1:]
    for grouping in groupings(rest):
        yield [[first], *grouping]
        for index, group in enumerate(grouping):
            yield [*grouping[:index], [first, *group], *grouping[index + 1 :]]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_a_shape_is_symmetric_and_between_members_only(shape: object) -> None:
    for members, hit in cases():
        links = shape(members, hit=hit)  # type: ignore[operator]
        assert all(a != b and {a, b} <= set(members) for a, b in links)
        assert all((b, a) in links for a, b in links)


def test_one_way_and_the_other_are_the_links_of_the_hit() -> None:
    for members, hit in cases():
        links = alone(members, hit=hit)
        out, into = one_way(links, hit=hit, way="out"), one_way(links, hit=hit, way="in")
        assert out | into == links == one_way(links, hit=hit, way="both")
        assert {(b, a) for a, b in out} == into
        assert out & into == alone(hit, hit=hit), "in common: what hit members lose of one another"


def test_groups_keep_their_own_and_lose_all_others() -> None:
    for size in SIZES:
        members = members_of(size)
        for grouping in groupings(members):
            links = between(grouping)
            group_of = {name: index for index, group in enumerate(grouping) for name in group}
            for a, b in permutations(members, 2):
                assert ((a, b) in links) == (group_of[a] != group_of[b])


def test_only_one_group_can_have_a_leader() -> None:
    for size in SIZES:
        members = members_of(size)
        for grouping in groupings(members):
            able = may_lead(members, lost=between(grouping))
            majority = [group for group in grouping if len(group) >= size // 2 + 1]
            assert sorted(able) == sorted(chain.from_iterable(majority))
            assert led(members, lost=between(grouping)) == able


def test_alone_is_a_group_for_each_and_together_is_two() -> None:
    for members, hit in cases():
        rest = [name for name in members if name not in hit]
        assert alone(members, hit=hit) == between([*([one] for one in hit), rest])
        assert together(members, hit=hit) == between([list(hit), rest])


def test_a_bridge_may_lead_and_leads_everybody() -> None:
    for members, hit in cases():
        if hit:
            lost = bridge(members, hit=hit)
            assert set(hit) <= set(may_lead(members, lost=lost))
            assert led(members, lost=lost) == members


def test_a_link_that_is_lost_in_one_direction_carries_no_leader() -> None:
    members = members_of(3)
    for way in ("in", "out"):
        lost = one_way(alone(members, hit=["cp2"]), hit=["cp2"], way=way)  # type: ignore[arg-type]
        assert led(members, lost=lost) == ("cp1", "cp3")


def test_more_links_lost_never_make_more_leaders() -> None:
    members = members_of(4)
    pairs = list(combinations(members, 2))
    for mask in range(2 ** len(pairs)):
        some = [pair for bit, pair in enumerate(pairs) if mask >> bit & 1]
        lost = frozenset(link for a, b in some for link in ((a, b), (b, a)))
        for a, b in pairs:
            more = lost | {(a, b), (b, a)}
            assert set(may_lead(members, lost=more)) <= set(may_lead(members, lost=lost))
            assert set(led(members, lost=more)) <= set(led(members, lost=lost))


def test_receivers_hold_every_link_once() -> None:
    for members, hit in cases():
        links = alone(members, hit=hit)
        rules = receivers(links)
        assert {(a, b) for b, senders in rules.items() for a in senders} == links
        assert list(rules) == sorted(rules)


def test_groups_as_an_experiment_writes_them() -> None:
    members = members_of(3)
    assert parse_groups("cp2 | cp1, cp3", members=members) == [["cp2"], ["cp1", "cp3"]]


@pytest.mark.parametrize(
    "text", ["", "cp1 cp2 cp3", "cp1 | cp2", "cp1 | cp1 cp2 cp3", "cp1 | cp2 cp9", "cp1 cp2 cp3 |"]
)
def test_groups_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match="group"):
        parse_groups(text, members=members_of(3))
