"""Were there two where one may be: holders of the VIP, leaders of a term, contents of etcd?

What is told of the VIP and of terms comes from the followers on the nodes, stamped at its receipt;
so a stretch of time that it gives is known to ± HEARD_LATE_S.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from quorate.harness.judge.story import HEARD_LATE_S
from quorate.harness.model.timeline import Event, Timeline
from quorate.harness.model.verdict import SafetyCheck, State

SEVERAL = "several: "
"""How a fact of the VIP begins that names its holders, in place of one node that has it."""

SILENT_S = 2.5
"""What a node says is held for unknown when it was last heard 2 s ago (run.components); this
is a little more."""


@dataclass(frozen=True)
class _Span:
    """[``start``, ``end``), seconds, and the nodes that it is about."""

    start: float
    end: float
    nodes: tuple[str, ...]


def vip_holders(timeline: Timeline, *, balancers: Sequence[str]) -> SafetyCheck:
    """Never two holders of the VIP for longer than one advert: so long the loser of an election may
    take to hear of it.

    A node with a fault on is not counted: that it keeps an address which it cannot defend, or lets
    go of, is what such a fault does. It is counted again when the fault was proved to be off.
    """
    facts = [one for one in timeline.of_kind("fact") if one.data.get("component") == "vip"]
    if not facts:
        return _answer("vip_holders", State.INCONCLUSIVE, "nothing was heard of the VIP")
    faults = _faults(timeline)
    several = list(_several(facts, end=_end(timeline)))
    apart = [_without(one, faults) for one in several]
    stretches = _joined(one for pieces in apart for one in pieces)
    longest = max(stretches, key=lambda one: one.end - one.start, default=None)
    silent = _silent(timeline, balancers=balancers, faults=faults)
    if longest is None and not silent:
        excused = sum(one.end - one.start for one in several)
        also = f"; {excused:.2f} s beside a holder with a fault on" if excused else ""
        return _answer("vip_holders", State.MET, f"never two at once{also}")
    state, reason = State.INCONCLUSIVE, f"no word of its addresses from {', '.join(silent)}"
    if longest is not None:
        state, told = _double(longest, advert=timeline.first("vrrp_advert"))
        reason = f"{told}; {reason}" if silent else told
    if state is State.MET and silent:
        state = State.INCONCLUSIVE
    return _answer("vip_holders", state, reason)


def _double(longest: _Span, *, advert: Event | None) -> tuple[State, str]:
    length_s = longest.end - longest.start
    both = " and ".join(longest.nodes)
    told = f"{both} held it for {length_s:.2f} ± {HEARD_LATE_S:g} s from {longest.start:.3f} s"
    advert_s = advert.data.get("advert_s") if advert is not None else None
    if not isinstance(advert_s, int | float):
        return State.INCONCLUSIVE, f"{told}; how long an advert takes here is not known"
    told += f", an advert takes {advert_s:g} s"
    if length_s - HEARD_LATE_S > advert_s:
        return State.MISSED, told
    return (State.MET if length_s + HEARD_LATE_S <= advert_s else State.INCONCLUSIVE), told


def _several(facts: Sequence[Event], *, end: float) -> Iterable[_Span]:
    """When more than one node held the VIP, whoever they were."""
    until = [*(fact.t for fact in facts[1:]), max(end, facts[-1].t)]
    for fact, then in zip(facts, until, strict=True):
        state = str(fact.data.get("state"))
        if state.startswith(SEVERAL) and then > fact.t:
            yield _Span(fact.t, then, tuple(_holders(fact)))


def _without(span: _Span, faults: Mapping[str, Sequence[_Span]]) -> list[_Span]:
    """The parts of a span in which two holders or more had no fault on."""
    own = [fault for node in span.nodes for fault in faults.get(node, ())]
    edges = {span.start, span.end, *(edge for one in own for edge in (one.start, one.end))}
    found = []
    for start, end in pairwise(sorted(edge for edge in edges if span.start <= edge <= span.end)):
        sound = [node for node in span.nodes if not _covered(start, faults.get(node, ()))]
        if len(sound) > 1:
            found.append(_Span(start, end, tuple(sound)))
    return found


def _covered(t: float, spans: Iterable[_Span]) -> bool:
    return any(one.start <= t < one.end for one in spans)


def _joined(spans: Iterable[_Span]) -> list[_Span]:
    """Spans that follow one another without a gap as one; its nodes are all of theirs."""
    found: list[_Span] = []
    for span in spans:
        if found and found[-1].end == span.start:
            nodes = dict.fromkeys([*found[-1].nodes, *span.nodes])
            found[-1] = _Span(found[-1].start, span.end, tuple(nodes))
        else:
            found.append(span)
    return found


def _faults(timeline: Timeline) -> dict[str, list[_Span]]:
    """Node → when a fault was on it: from just before the act until it was proved to be off."""
    off = {event.data.get("injection"): event.t for event in timeline.of_kind("undo_done")}
    found: dict[str, list[_Span]] = {}
    for event in timeline.of_kind("injection_started"):
        nodes = event.data.get("nodes")
        end = off.get(event.data.get("injection"), math.inf)
        for node in nodes if isinstance(nodes, list | tuple) else ():
            found.setdefault(str(node), []).append(_Span(event.t, end, (str(node),)))
    return found


def _silent(
    timeline: Timeline, *, balancers: Sequence[str], faults: Mapping[str, Sequence[_Span]]
) -> list[str]:
    """Load balancers that were not heard for a while which did not begin in a fault of theirs.

    A follower that is silent makes all that it tells unknown, keepalived's state among it.
    """
    end = _end(timeline)
    return [
        f"{node} from {fact.t:.1f} s on"
        for node in balancers
        for fact in timeline.of_kind("fact")
        if fact.data.get("component") == "keepalived"
        and fact.data.get("node") == node
        and fact.data.get("state") == "unknown"
        and fact.t < end
        and not _covered(fact.t, faults.get(node, ()))
        and not _told_late(timeline, node=node, unknown=fact.t)
    ]


def _told_late(timeline: Timeline, *, node: str, unknown: float) -> bool:
    """A node that was silent, and whose program then went on where it had stopped, has told all
    that happened meanwhile, only late. Nothing is left open by that unless the address moved
    between it and another: nobody knows when."""
    told = (
        fact
        for fact in timeline.of_kind("fact")
        if fact.data.get("component") == "follower"
        and fact.data.get("node") == node
        and fact.t >= unknown
        and fact.data.get("state") != "silent"
    )
    heard = next(told, None)
    if heard is None or heard.data.get("state") != "heard again":
        return False
    facts = [one for one in timeline.of_kind("fact") if one.data.get("component") == "vip"]
    before = [one for one in facts if one.t < unknown - SILENT_S][-1:]
    meanwhile = [one for one in facts if unknown - SILENT_S <= one.t <= heard.t + HEARD_LATE_S]
    holders = {name for one in (*before, *meanwhile) for name in _holders(one)}
    return node not in holders or holders == {node}


def _holders(fact: Event) -> list[str]:
    """Whom a fact of the VIP names."""
    state, node = str(fact.data.get("state")), fact.data.get("node")
    if state.startswith(SEVERAL):
        return state.removeprefix(SEVERAL).split(", ")
    return [str(node)] if node else []


def _end(timeline: Timeline) -> float:
    """When sampling ended: the followers are stopped after that, and silent for this reason."""
    stopped = timeline.last("sampling_stopped")
    return stopped.t if stopped is not None else timeline.end


def etcd_leaders(timeline: Timeline, *, members: Sequence[str]) -> SafetyCheck:
    """Never two leaders in one term of raft.

    Each member's term and leader are of one instant (raft.status), so two members that name
    different ones for a term cannot both be right: raft allows a term one leader.
    """
    said: dict[int, dict[str, list[str]]] = {}
    mute = dict.fromkeys(members, "it said nothing")
    for event in timeline.of_kind("raft_term"):
        node, term = str(event.data.get("node")), event.data.get("term")
        if not isinstance(term, int):
            if node in mute:
                mute[node] = str(event.data.get("problem"))
            continue
        mute.pop(node, None)
        if leader := event.data.get("leader"):
            said.setdefault(term, {}).setdefault(str(leader), []).append(node)
    for term, leaders in sorted(said.items()):
        if len(leaders) > 1:
            each = " and ".join(f"{one} (so {_names(by)})" for one, by in sorted(leaders.items()))
            return _answer("etcd_leaders", State.MISSED, f"term {term} was led by {each}")
    if mute or not said:
        told = "; ".join(f"{node}: {problem}" for node, problem in mute.items())
        reason = f"no term told by {told}" if mute else "no member knew a leader"
        return _answer("etcd_leaders", State.INCONCLUSIVE, reason)
    terms = f"term {min(said)}" if len(said) == 1 else f"each of {len(said)} terms"
    reason = f"one leader in {terms}, as {_names(members)} told twice a second"
    return _answer("etcd_leaders", State.MET, reason)


def etcd_hashes(timeline: Timeline, *, members: Sequence[str]) -> SafetyCheck:
    """All members hold the same at one revision, in the end.

    Hashes at one revision can be compared where the members had compacted up to the same one
    (etcd, server/etcdserver/corrupt.go).
    """
    event = timeline.last("etcd_hashes")
    rows = event.data.get("members") if event is not None else None
    told: Mapping[str, Any] = rows if isinstance(rows, Mapping) else {}
    by: dict[tuple[object, object], dict[object, list[str]]] = {}
    problems = []
    for node in members:
        row = told.get(node, {"problem": "was not asked"})
        if "hash" not in row:
            problems.append(f"{node}: {row.get('problem')}")
            continue
        same = by.setdefault((row.get("revision"), row.get("compacted")), {})
        same.setdefault(row["hash"], []).append(node)
    for (revision, _), hashes in by.items():
        if len(hashes) > 1:
            each = ", ".join(f"{one} on {_names(nodes)}" for one, nodes in hashes.items())
            reason = f"at revision {revision} the members differ: {each}"
            return _answer("etcd_hashes", State.MISSED, reason)
    if problems or len(by) != 1:
        reason = "; ".join(problems) or "the members did not get to one revision"
        return _answer("etcd_hashes", State.INCONCLUSIVE, reason)
    (revision, _), hashes = next(iter(by.items()))
    reason = f"{next(iter(hashes))} at revision {revision} on {_names(members)}"
    return _answer("etcd_hashes", State.MET, reason)


def _names(nodes: Iterable[str]) -> str:
    return ", ".join(sorted(set(nodes)))


def _answer(name: str, state: State, reason: str) -> SafetyCheck:
    return SafetyCheck(name=name, state=state, reason=reason)
