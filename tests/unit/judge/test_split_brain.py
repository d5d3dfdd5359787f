"""Two holders of the VIP, two leaders of a term, members that differ; what excuses the first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.harness.judge.split_brain import etcd_hashes, etcd_leaders, vip_holders
from quorate.harness.model.timeline import Event, Timeline
from quorate.harness.model.verdict import SafetyCheck, State

NODES = ("cp1", "cp2", "cp3")
ADVERT = Event(99.0, "vrrp_advert", {"advert_s": 1.0})
STOPPED = Event(95.0, "sampling_stopped")


def vip(t: float, *holders: str) -> Event:
    state = "held" if len(holders) == 1 else f"several: {', '.join(holders)}" if holders else "none"
    node = holders[0] if len(holders) == 1 else None
    return Event(t, "fact", {"component": "vip", "node": node, "state": state, "good": bool(node)})


def silent(t: float, node: str) -> Event:
    data = {"component": "keepalived", "node": node, "state": "unknown", "good": None}
    return Event(t, "fact", data)


def fault(start: float, off: float, *nodes: str) -> list[Event]:
    return [
        Event(start, "injection_started", {"injection": "i1", "nodes": list(nodes)}),
        Event(off - 1.0, "undo_started", {"injection": "i1"}),
        Event(off, "undo_done", {"injection": "i1", "ok": True}),
    ]


def timeline(*events: Event) -> Timeline:
    return Timeline("r", tuple(sorted(events, key=lambda one: one.t)), {})


def holders(*events: Event) -> SafetyCheck:
    return vip_holders(timeline(*events, ADVERT, STOPPED), balancers=NODES)


@pytest.mark.parametrize(
    ("length_s", "state"),
    [(0.05, State.MET), (0.5, State.MET), (0.9, State.INCONCLUSIVE), (1.6, State.MISSED)],
)
def test_two_holders_for_longer_than_an_advert_are_told(length_s: float, state: State) -> None:
    """Each end of the stretch is known to half a second in all."""
    found = holders(vip(0, "cp1"), vip(20, "cp1", "cp2"), vip(20 + length_s, "cp2"))
    assert found.state is state, found
    assert f"{length_s:.2f} ± 0.5 s from 20.000 s, an advert takes 1 s" in found.reason


def test_a_stretch_whose_holders_change_is_one() -> None:
    changing = [vip(20, "cp1", "cp2"), vip(20.9, "cp1", "cp2", "cp3"), vip(21.8, "cp2")]
    found = holders(vip(0, "cp1"), *changing)
    assert found.state is State.MISSED
    assert "cp1 and cp2 and cp3 held it for 1.80" in found.reason


def test_a_stretch_that_has_not_ended_lasts_until_sampling_stops() -> None:
    assert "for 75.00" in holders(vip(0, "cp1"), vip(20, "cp1", "cp2")).reason


def test_a_holder_with_a_fault_on_is_no_second_one() -> None:
    """vrrp_block: the holder keeps the address that a backup takes; it is the fault's own doing."""
    found = holders(vip(0, "cp1"), *fault(18, 63, "cp1"), vip(22, "cp1", "cp2"), vip(62, "cp1"))
    assert found.state is State.MET
    assert "40.00 s beside a holder with a fault on" in found.reason


def test_when_the_fault_is_off_it_is_counted() -> None:
    found = holders(vip(0, "cp1"), *fault(18, 60, "cp1"), vip(22, "cp1", "cp2"), vip(62, "cp1"))
    assert found.state is State.MISSED
    assert "cp1 and cp2 held it for 2.00 ± 0.5 s from 60.000 s" in found.reason


def test_two_sound_holders_beside_a_faulted_one_are_told() -> None:
    found = holders(vip(0, "cp1"), *fault(18, 60, "cp1"), vip(22, "cp2", "cp3"), vip(30, "cp2"))
    assert found.state is State.MISSED


def test_without_the_length_of_an_advert_nothing_is_known() -> None:
    events = [vip(0, "cp1"), vip(20, "cp1", "cp2"), vip(30, "cp2"), STOPPED]
    assert vip_holders(timeline(*events), balancers=NODES).state is State.INCONCLUSIVE


@pytest.mark.parametrize(
    ("t", "node", "state"),
    [
        (30.0, "cp2", State.INCONCLUSIVE),
        (30.0, "cp1", State.MET),
        (70.0, "cp1", State.INCONCLUSIVE),
        (95.2, "cp2", State.MET),
    ],
    ids=["a sound one", "the faulted one", "after its fault", "after the end"],
)
def test_a_balancer_that_was_not_heard_leaves_it_open(t: float, node: str, state: State) -> None:
    found = holders(vip(0, "cp1"), *fault(18, 60, "cp1"), silent(t, node))
    assert found.state is state, found


def heard(t: float, node: str, state: str = "heard again") -> Event:
    return Event(t, "fact", {"component": "follower", "node": node, "state": state, "good": None})


@pytest.mark.parametrize(
    ("node", "meanwhile", "state"),
    [
        ("cp2", [heard(31, "cp2")], State.MET),
        ("cp1", [heard(31, "cp1")], State.MET),
        ("cp1", [vip(30), vip(31, "cp1"), heard(31, "cp1")], State.MET),
        ("cp2", [heard(31, "cp2", "begun anew")], State.INCONCLUSIVE),
        ("cp2", [heard(31, "cp3")], State.INCONCLUSIVE),
        ("cp1", [vip(29, "cp2"), heard(31, "cp1")], State.INCONCLUSIVE),
        ("cp2", [heard(31, "cp2"), vip(31.1, "cp1", "cp2"), vip(31.2, "cp1")], State.INCONCLUSIVE),
    ],
    ids=[
        "it goes on where it stopped",
        "the holder does",
        "it has held the address on",
        "its program was begun anew",
        "only another was heard again",
        "the address went from it",
        "the address came to it, and went",
    ],
)
def test_a_silence_after_which_all_is_told_leaves_nothing_open(
    node: str, meanwhile: list[Event], state: State
) -> None:
    found = holders(vip(0, "cp1"), silent(30, node), *meanwhile)
    assert found.state is state, found


@given(st.lists(st.tuples(st.floats(0.01, 3.0), st.sets(st.sampled_from(NODES))), min_size=1))
def test_one_holder_at_a_time_is_never_accused(moves: Sequence[tuple[float, set[str]]]) -> None:
    """And two for long always are, wherever they come."""
    t, events, longest, current = 0.0, [], 0.0, 0.0
    for length_s, nodes in moves:
        events.append(vip(t, *sorted(nodes)))
        current = current + length_s if len(nodes) > 1 else 0.0
        longest = max(longest, current)
        t += length_s
    end = [vip(t, "cp1"), ADVERT, STOPPED]
    state = vip_holders(timeline(*events, *end), balancers=NODES).state
    if longest == 0.0:
        assert state is State.MET
    elif longest > 1.501:
        assert state is State.MISSED


def term(node: str, number: int, leader: str) -> Event:
    return Event(1.0, "raft_term", {"node": node, "term": number, "leader": leader})


@pytest.mark.parametrize(
    ("said", "state", "text"),
    [
        ([("cp1", 3, "a"), ("cp2", 3, "a"), ("cp3", 4, "b")], State.MET, "each of 2 terms"),
        ([("cp1", 3, "a"), ("cp2", 3, ""), ("cp3", 3, "a")], State.MET, "one leader in term 3"),
        (
            [("cp1", 3, "a"), ("cp2", 3, "b"), ("cp3", 3, "b")],
            State.MISSED,
            "term 3 was led by a (so cp1) and b (so cp2, cp3)",
        ),
        ([("cp1", 3, "a"), ("cp2", 3, "a")], State.INCONCLUSIVE, "cp3: it said nothing"),
        ([(n, 3, "") for n in NODES], State.INCONCLUSIVE, "no member knew a leader"),
    ],
)
def test_leaders_of_terms(said: Sequence[tuple[str, int, str]], state: State, text: str) -> None:
    found = etcd_leaders(timeline(*(term(*one) for one in said)), members=NODES)
    assert found.state is state
    assert text in found.reason


def test_a_member_that_could_not_tell_for_a_while_has_told() -> None:
    problem = Event(2.0, "raft_term", {"node": "cp1", "problem": "unknown: TimeoutError"})
    told = [term(node, 3, "a") for node in NODES]
    assert etcd_leaders(timeline(*told, problem), members=NODES).state is State.MET
    found = etcd_leaders(timeline(*told[1:], problem), members=NODES)
    assert found.reason == "no term told by cp1: unknown: TimeoutError"


def at(number: int, revision: int = 90, compacted: int = 7) -> dict[str, int]:
    return {"hash": number, "revision": revision, "compacted": compacted}


@pytest.mark.parametrize(
    ("told", "state", "text"),
    [
        ({n: at(5) for n in NODES}, State.MET, "5 at revision 90 on cp1, cp2, cp3"),
        ({"cp1": at(5), "cp2": at(6), "cp3": at(5)}, State.MISSED, "5 on cp1, cp3, 6 on cp2"),
        (
            {"cp1": at(5), "cp2": at(6), "cp3": {"problem": "no way"}},
            State.MISSED,
            "the members differ",
        ),
        (
            {"cp1": at(5), "cp2": at(5), "cp3": {"problem": "no way"}},
            State.INCONCLUSIVE,
            "cp3: no way",
        ),
        ({"cp1": at(5), "cp2": at(6, 91), "cp3": at(5)}, State.INCONCLUSIVE, "one revision"),
        ({"cp1": at(5), "cp2": at(6, 90, 8), "cp3": at(5)}, State.INCONCLUSIVE, "one revision"),
    ],
)
def test_hashes_of_members(told: Mapping[str, Any], state: State, text: str) -> None:
    event = Event(1.0, "etcd_hashes", {"members": told})
    found = etcd_hashes(timeline(event), members=NODES)
    assert found.state is state
    assert text in found.reason
