"""The conditions without which a run answers nothing, however good its numbers look."""

from __future__ import annotations

from collections.abc import Iterable

from quorate.harness.judge.evidence import CONTROL_DEADLINE_S, Evidence
from quorate.harness.judge.intervals import Counts
from quorate.harness.judge.objectives import UNKNOWN_SHARE
from quorate.harness.judge.phases import Phase
from quorate.harness.model.experiment import BASELINE_SAMPLES
from quorate.harness.model.timeline import CONTROL_PROBE, Event
from quorate.harness.model.verdict import Gate

PHASES = ("baseline", "fault", "return")


def gates(evidence: Evidence) -> tuple[Gate, ...]:
    """All gates, in the order of the run."""
    return (
        _baseline(evidence),
        _prober(evidence),
        _fault(evidence),
        _undo(evidence),
        _complete(evidence),
    )


def _baseline(evidence: Evidence) -> Gate:
    phase = evidence.phases.get("baseline")
    if phase is None:
        return Gate(name="baseline", ok=False, reason="there was no baseline")
    seen = {
        probe: evidence.counts(probe, deadline_s=_shortest(evidence, probe), phase=phase)
        for probe in evidence.experiment.probes
    }
    total = sum(seen.values(), Counts())
    known = total.good + total.bad
    if known < BASELINE_SAMPLES:
        reason = f"{known} samples, at least {BASELINE_SAMPLES} are needed"
        return Gate(name="baseline", ok=False, reason=reason)
    bad = [
        f"{probe}: {count.bad} bad of {count.total}" for probe, count in seen.items() if count.bad
    ]
    if bad:
        return Gate(name="baseline", ok=False, reason="; ".join(bad))
    return Gate(name="baseline", ok=True, reason=f"{known} samples, none bad")


def _shortest(evidence: Evidence, probe: str) -> float:
    return evidence.experiment.deadlines_s(probe)[0]


def _prober(evidence: Evidence) -> Gate:
    """Did the sampler itself keep time? By its own marks, and by its probe of itself."""
    wrong = []
    worst = 0.0
    for phase in _took_place(evidence):
        for probe in evidence.experiment.probes:
            seen = evidence.counts(probe, deadline_s=_shortest(evidence, probe), phase=phase)
            share = seen.unknown / seen.total if seen.total else 1.0
            worst = max(worst, share)
            if share > UNKNOWN_SHARE:
                wrong.append(f"{probe} in {phase.name}: {_of(seen.unknown, seen)} unknown")
        control = evidence.counts(CONTROL_PROBE, deadline_s=CONTROL_DEADLINE_S, phase=phase)
        if not control.total or control.total - control.good > UNKNOWN_SHARE * control.total:
            lost = control.total - control.good
            wrong.append(f"the sampler's control probe in {phase.name}: {_of(lost, control)} lost")
    if wrong:
        return Gate(name="prober", ok=False, reason="; ".join(wrong))
    policy = evidence.timeline.sampler.get("policy")
    said = f", scheduled as {policy}" if isinstance(policy, str) else ""
    reason = f"at most {worst:.2%} of a phase's samples unknown{said}"
    return Gate(name="prober", ok=True, reason=reason)


def _of(part: int, seen: Counts) -> str:
    return f"{part} of {seen.total}" if seen.total else "no sample at all; all"


def _took_place(evidence: Evidence) -> list[Phase]:
    # A phase shorter than a second holds too few samples for a share in per cent.
    found = [evidence.phases[name] for name in PHASES if name in evidence.phases]
    return [phase for phase in found if phase.end - phase.reach >= 1.0]


def _fault(evidence: Evidence) -> Gate:
    declared = [step.func for step in evidence.experiment.faults]
    if not declared:
        return Gate(name="fault", ok=True, reason="no fault is declared, so none is to be proved")
    started = evidence.timeline.of_kind("injection_started")
    if len(started) < len(declared):
        done = [str(event.data.get("fault")) for event in started]
        reason = f"declared: {', '.join(declared)}; injected: {', '.join(done) or 'none'}"
        return Gate(name="fault", ok=False, reason=reason)
    return _proved(
        "fault", wanted=started, said=evidence.timeline.of_kind("injection_proved"), word="proved"
    )


def _undo(evidence: Evidence) -> Gate:
    timeline = evidence.timeline
    gate = _proved(
        "undo",
        wanted=timeline.of_kind("injection_started"),
        said=timeline.of_kind("undo_done"),
        word="proved undone",
    )
    undone = {
        event.data.get("name")
        for event in timeline.of_kind("arrangement_undone")
        if event.data.get("ok") is True
    }
    left = [
        str(event.data.get("name"))
        for event in timeline.of_kind("arrangement_applied")
        if event.data.get("name") not in undone
    ]
    if left:
        reason = f"{gate.reason}; arrangement(s) not undone: {', '.join(left)}"
        return Gate(name="undo", ok=False, reason=reason)
    return gate


def _proved(name: str, *, wanted: Iterable[Event], said: Iterable[Event], word: str) -> Gate:
    """Holds where the last word about each injection in ``wanted`` is ok: true."""
    words = {event.data.get("injection"): event for event in said}
    wrong: list[str] = []
    right: list[str] = []
    for event in wanted:
        injection = event.data.get("injection")
        proof = words.get(injection)
        told = "nothing was said" if proof is None else str(proof.data.get("evidence", ""))
        good = proof is not None and proof.data.get("ok") is True
        (right if good else wrong).append(f"{injection}: {told}")
    if wrong:
        return Gate(name=name, ok=False, reason=f"not {word}: {'; '.join(wrong)}")
    if not right:
        return Gate(name=name, ok=True, reason="nothing was injected")
    return Gate(name=name, ok=True, reason=f"{word}: {'; '.join(right)}")


def _complete(evidence: Evidence) -> Gate:
    timeline = evidence.timeline
    closed = timeline.last("run_closed")
    if closed is None:
        reason = "the run was never closed: its process died, or it is still under way"
        return Gate(name="complete", ok=False, reason=reason)
    if closed.data.get("reason") != "completed":
        said = closed.data.get("reason", "for no reason given")
        return Gate(name="complete", ok=False, reason=f"the run ended early: {said}")
    if timeline.first("sampling_stopped") is None:
        return Gate(name="complete", ok=False, reason="sampling was never stopped in order")
    silent = [
        probe for probe in evidence.experiment.probes if not len(timeline.series.get(probe) or ())
    ]
    if silent:
        reason = f"no samples of {', '.join(silent)}"
        return Gate(name="complete", ok=False, reason=reason)
    return Gate(name="complete", ok=True, reason="every step left its record")
