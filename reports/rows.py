"""Lines and cells that several formats share; every text in them is plain (reports/hostile.py)."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from quorate.harness.model.timeline import Event, Timeline
from quorate.harness.model.verdict import ObjectiveResult, PredictionResult, State, Verdict
from quorate.reports.hostile import masked, one_line, plain, words
from quorate.reports.indicators import prediction_of
from quorate.reports.record import UNDO_FAILED, RunRecord
from quorate.reports.text import because, bound_text, name_of, number_text, range_text, unit_of

EXIT_CODE_MEANS = {
    0: "MET",
    1: "MISSED",
    2: "usage, or a broken experiment file",
    3: "INCONCLUSIVE, or refused with nothing injected",
    4: "an undo failed: the cluster may still be faulted",
}

QUIET_EVENTS = frozenset(
    {
        *("fact", "whole", "raft_term", "vip_announced", "prediction"),
        *("pod_seen", "endpoints_seen", "node_seen"),
        *("ledger_made", "ledger_read_back", "etcd_hashes"),
    }
)
"""Events that other parts of a report tell, or that are too many to be listed."""


@dataclass(frozen=True)
class ObjectiveRow:
    """One line of the table of objectives."""

    name: str
    state: State
    measured: str
    bound: str
    predicted: str
    reason: str


@dataclass(frozen=True)
class FaultRow:
    """One injection: what was put on where, by which commands, and what shows that it bit and that
    it is off. ``proved`` and ``undone``: None where nobody looked."""

    injection: str
    fault: str
    nodes: tuple[str, ...]
    at: float
    commands: tuple[str, ...]
    proved: bool | None
    proof: str
    undone: bool | None
    undone_proof: str


@dataclass(frozen=True)
class ArrangedRow:
    """One arrangement: a worse state that the run began from, never counted as a fault."""

    name: str
    at: float
    commands: tuple[str, ...]
    proof: str
    undone: bool | None


@dataclass(frozen=True)
class UndoRow:
    """One undo of the journal."""

    injection: str
    text: str
    command: str
    settled: bool


def reason_of(run: RunRecord) -> str:
    """Why the answer is what it is, in one line; what may still be on comes before all else."""
    if run.exit_code == UNDO_FAILED:
        left = "; ".join(one_line(one.undo.text) for one in run.pending) or "its journal is damaged"
        return f"an undo failed, the cluster may still be faulted: {left}"
    if run.ended != "completed":
        why = f": {one_line(run.why_ended)}" if run.why_ended else ""
        return f"the run was {one_line(run.ended)}{why}"
    return one_line(because(run.verdict))


def objective_rows(verdict: Verdict) -> list[ObjectiveRow]:
    """All objectives, in the experiment's order; a guard that tripped among them."""
    return [
        ObjectiveRow(
            name=one_line(name_of(one)),
            state=one.state,
            measured=one_line(number_text(one)),
            bound=_bound(one),
            predicted=_predicted(prediction_of(one, verdict.predicted)),
            reason=one_line(one.reason),
        )
        for one in verdict.objectives
    ]


def _bound(one: ObjectiveResult) -> str:
    """With whose it is, even where there is no other."""
    text = bound_text(one, unit=unit_of(one))
    return one_line(text if "(by " in text else f"{text} (by {one.judged_by})")


def _predicted(one: PredictionResult | None) -> str:
    if one is None:
        return "not predicted"
    if one.low is None or one.high is None:
        return one_line(f"not predicted: {one.reason}")
    told = {True: ", as measured", False: ", NOT as measured", None: ""}[one.inside]
    return f"{range_text(one.low, one.high, one_line(one.unit))}{told}"


def fault_rows(timeline: Timeline) -> list[FaultRow]:
    """All injections, in order."""
    proofs, offs = (_by_injection(timeline, kind) for kind in ("injection_proved", "undo_done"))
    found = []
    for event in timeline.of_kind("injection_started"):
        name = str(event.data.get("injection"))
        proof, off = proofs.get(name, {}), offs.get(name, {})
        found.append(
            FaultRow(
                injection=one_line(name),
                fault=one_line(event.data.get("fault", "?")),
                nodes=words(event.data.get("nodes")),
                at=event.t,
                commands=commands_of(event.data.get("commands")),
                proved=_truth(proof.get("ok")),
                proof=plain(proof.get("evidence", "nobody looked")),
                undone=_truth(off.get("ok")),
                undone_proof=plain(off.get("evidence", "no undo was done")),
            )
        )
    return found


def arranged_rows(timeline: Timeline) -> list[ArrangedRow]:
    """What was put on before the run, on purpose."""
    off = {
        str(event.data.get("name")): event.data for event in timeline.of_kind("arrangement_undone")
    }
    return [
        ArrangedRow(
            one_line(event.data.get("name", "?")),
            event.t,
            commands_of(event.data.get("commands")),
            plain(event.data.get("evidence", "")),
            _truth(off.get(str(event.data.get("name")), {}).get("ok")),
        )
        for event in timeline.of_kind("arrangement_applied")
    ]


def commands_of(given: object) -> tuple[str, ...]:
    """``cp1: systemctl stop kubelet``; secrets masked. Nothing where none were written down."""
    if not isinstance(given, Sequence) or isinstance(given, str):
        return ()
    rows = [one for one in given if isinstance(one, Mapping)]
    return tuple(command_text(one.get("node"), argv=words(one.get("argv"))) for one in rows)


def command_text(node: object, *, argv: Sequence[str]) -> str:
    """One command on one node, as it could be pasted."""
    return plain(f"{node}: {shlex.join(masked(argv))}")


def undo_rows(run: RunRecord) -> list[UndoRow]:
    """The journal, in the order in which it was written."""
    return [
        UndoRow(
            injection=one_line(one.undo.injection),
            text=one_line(one.undo.text),
            command=command_text(one.undo.node, argv=one.undo.argv),
            settled=one.settled,
        )
        for one in run.undos
    ]


def event_text(event: Event) -> str:
    """``injection_started: fault node_power_off, nodes cp1``."""
    told = [
        f"{one_line(key)} {_value(value)}"
        for key, value in event.data.items()
        if key not in ("mark", "before", "commands") and value not in (None, "", [], {})
    ]
    kind = one_line(event.kind).replace("_", " ")
    return plain(f"{kind}: {', '.join(told)}" if told else kind)


def told_events(timeline: Timeline) -> list[Event]:
    """What happened, without what other parts of a report tell."""
    return [event for event in timeline.events if event.kind not in QUIET_EVENTS]


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{one_line(key)}={_value(one)}" for key, one in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(_value, value))
    return one_line(value, at_most=400)


def _by_injection(timeline: Timeline, kind: str) -> dict[str, Mapping[str, object]]:
    return {str(event.data.get("injection")): event.data for event in timeline.of_kind(kind)}


def _truth(value: object) -> bool | None:
    return value if isinstance(value, bool) else None
