"""Was what the cluster acknowledged kept, and was it ever of two minds? (issue 5, data safety.)

Asked of every run that declared its ledger, by an event at its opening; runs from before there was
one have none, and no checks. The ledger is what the samples of registers tell; after the return leg
each register was read back. An answer that is missing makes a check INCONCLUSIVE, never MET, and
that makes the verdict so: a run that cannot say whether the cluster forgot something is no pass.
A check that is MISSED makes the verdict MISSED, whatever clients saw.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from quorate.harness.judge.linearizability import (
    History,
    contradictions,
    not_swapped,
    overtaken,
    told,
    version_of,
)
from quorate.harness.judge.split_brain import etcd_hashes, etcd_leaders, vip_holders
from quorate.harness.model.register import Operation
from quorate.harness.model.timeline import Event, Timeline
from quorate.harness.model.verdict import SafetyCheck, State

SHOWN = 3
"""Of what is wrong in one check, so much is told; how much it is always is."""


def data_safety(timeline: Timeline) -> tuple[SafetyCheck, ...] | None:
    """All checks that the run declared; None where it declared no ledger."""
    declared = timeline.first("ledger_declared")
    if declared is None:
        return None
    try:
        ledger = Ledger.of(timeline)
    except ValueError as error:
        ledger = Ledger(problem=f"a resourceVersion is no number, so no order is told: {error}")
    checks = [
        _acknowledged_writes(ledger),
        _check("resource_versions", _backward, ledger=ledger),
        _check("linearizability", _unordered, ledger=ledger),
        vip_holders(timeline, balancers=_words(declared, "balancers")),
    ]
    members = _words(declared, "members")
    if members:
        checks += [etcd_leaders(timeline, members=members), etcd_hashes(timeline, members=members)]
    return tuple(checks)


def _words(event: Event, key: str) -> tuple[str, ...]:
    value = event.data.get(key)
    return tuple(map(str, value)) if isinstance(value, list | tuple) else ()


@dataclass(frozen=True)
class Kept:
    """One register: all that was told of it, and what each API server said at the end: what it
    holds, or (``gone``) that there is none."""

    history: History
    read_back: tuple[Operation, ...]
    gone: tuple[str, ...]

    @property
    def acknowledged(self) -> tuple[Operation, ...]:
        """The sampler's writes that were acknowledged; the making is none of them."""
        return tuple(one for one in self.history.acknowledged if one.expected is not None)


@dataclass(frozen=True)
class Ledger:
    """What is known of the registers, by name. ``problem``: why that answers nothing."""

    registers: Mapping[str, Kept] = field(default_factory=dict)
    problem: str = ""

    @classmethod
    def of(cls, timeline: Timeline) -> Ledger:
        """From the samples and events of a run; ValueError where versions are no numbers."""
        made = _made(timeline)
        if not made:
            return cls(problem="the run ended before its registers were made")
        whole = timeline.sampler.get("complete") is True
        told = _rows(timeline.first("ledger_read_back"), "reads")
        read_back = _read_back(told)
        registers = {}
        for first in made:
            name = first.register
            known = [one for one in timeline.operations if one.register == name]
            last = [one for one in read_back if one.register == name]
            if not whole:  # a value that nobody is known to have written may be of a lost line
                tried = {one.value for one in [first, *known] if one.is_write}
                known = [one for one in known if one.value in tried]
                last = [one for one in last if one.value in tried]
            gone = [row["server"] for row in told if row["register"] == name and "gone" in row]
            registers[name] = Kept(History.of([first, *known, *last]), tuple(last), tuple(gone))
        if not whole:
            return cls(registers, "the ledger is cut short: the sampler did not end in order")
        if not any(one.acknowledged for one in registers.values()):
            return cls(registers, "no write was acknowledged, so none could be lost")
        return cls(registers)


def _rows(event: Event | None, key: str) -> list[Mapping[str, Any]]:
    rows = event.data.get(key) if event is not None else None
    return rows if isinstance(rows, list) else []


def _made(timeline: Timeline) -> list[Operation]:
    """The making of each register, as a write on nothing."""
    event = timeline.first("ledger_made")
    if event is None:
        return []
    return [
        Operation(
            register=row["name"],
            by="the run",
            start=-math.inf,
            end=event.t,
            value=row["value"],
            version=row["version"],
            is_write=True,
        )
        for row in _rows(event, "registers")
    ]


def _read_back(rows: list[Mapping[str, Any]]) -> list[Operation]:
    return [
        Operation(
            register=row["register"],
            by=f"{row['server']}, at the end",
            start=row["start"],
            end=row["end"],
            value=row["value"],
            version=row["version"],
        )
        for row in rows
        if "version" in row
    ]


def _acknowledged_writes(ledger: Ledger) -> SafetyCheck:
    unread = [name for name, kept in ledger.registers.items() if not (kept.read_back or kept.gone)]
    if unread and not ledger.problem:
        problem = f"no API server said at the end what is in register {', '.join(unread)}"
        ledger = replace(ledger, problem=problem)
    return _check("acknowledged_writes", _lost, ledger=ledger)


def _check(name: str, wrong: Callable[[Kept], list[str]], *, ledger: Ledger) -> SafetyCheck:
    """``wrong``: what is wrong with one register."""
    found = [
        f"register {register}: {text}"
        for register, kept in ledger.registers.items()
        for text in dict.fromkeys(wrong(kept))
    ]
    if found:
        more = f"; and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        reason = "; ".join(found[:SHOWN]) + more
        return SafetyCheck(name=name, state=State.MISSED, reason=reason)
    if ledger.problem:
        return SafetyCheck(name=name, state=State.INCONCLUSIVE, reason=ledger.problem)
    each = ledger.registers.values()
    writes = sum(len(one.acknowledged) for one in each)
    open_writes = sum(len(one.history.open_writes) for one in each)
    reads = sum(len(one.history.reads) for one in each)
    reason = (
        f"{len(ledger.registers)} registers: {writes} writes acknowledged, {open_writes} of "
        f"unknown outcome, {reads} reads"
    )
    return SafetyCheck(name=name, state=State.MET, reason=reason)


def _lost(kept: Kept) -> list[str]:
    """Acknowledged writes of which a later operation knew nothing.

    Nothing that began after the acknowledgement may be of an older state, each write must have been
    made on the one before it, and the last one must be there at the end, unless a write of unknown
    outcome came after it.
    """
    history = kept.history
    found = [
        told(*pair) for pair in overtaken(history.acknowledged, [*history.reads, *history.writes])
    ]
    last = history.acknowledged[-1]
    may_be = {one.value for one in history.open_writes if one.start >= last.start} | {last.value}
    found += [
        f"{one.by} holds {one.value!r}, and {last.value!r} was acknowledged last"
        for one in kept.read_back
        if one.value not in may_be
    ]
    found += [f"{server} says at the end that there is none" for server in kept.gone]
    return found + not_swapped(history)


def _backward(kept: Kept) -> list[str]:
    """Versions that were lower than one told before, to anybody or to the same reader.

    A reader's requests go over one connection and are answered one after the other, so their order
    is known even where they were under way together.
    """
    known = [*kept.history.reads, *kept.history.acknowledged]
    found = [told(*pair) for pair in overtaken(known, known)]
    for reader in sorted({one.by for one in kept.history.reads}):
        own = [one for one in kept.history.reads if one.by == reader]
        own.sort(key=lambda one: one.start)
        found += [
            f"{reader} was told version {after.version} after version {before.version}"
            for before, after in pairwise(own)
            if version_of(after) < version_of(before)
        ]
    return found


def _unordered(kept: Kept) -> list[str]:
    nobody = [f"{value!r} was seen and written by nobody" for value in kept.history.unexplained]
    return contradictions(kept.history) + nobody
