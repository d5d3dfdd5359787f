"""The conditions without which a run answers nothing, however good its numbers look."""

from __future__ import annotations

import re
from collections.abc import Iterable

from quorate.harness.judge.evidence import CONTROL_DEADLINE_S, Evidence
from quorate.harness.judge.intervals import BAD_CODE, UNKNOWN_CODE, Counts
from quorate.harness.judge.phases import Phase
from quorate.harness.model.experiment import BASELINE_SAMPLES
from quorate.harness.model.timeline import BESIDE_HARNESS, Event
from quorate.harness.model.verdict import Gate

PHASES = ("baseline", "fault", "return")

WINDOW_S = 10.0
UNKNOWN_SHARE = 0.01
"""More unknown samples than this share in any window, and the sampler was blind there: over a long
phase five seconds without a sample are few (reference/timings_and_slos.md §2.8, rule 2)."""


def gates(evidence: Evidence) -> tuple[Gate, ...]:
    """All gates, in the order of the run."""
    return (
        _baseline(evidence),
        _prober(evidence),
        _fault(evidence),
        *_upgrade(evidence),
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
    known = total.known
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
        for probe in evidence.gated:
            deadline_s = _shortest(evidence, probe)
            codes = evidence.codes(probe, deadline_s=deadline_s, phase=phase)
            worst = max(worst, codes.count(UNKNOWN_CODE) / max(1, len(codes)))
            if why := _blind(codes, period_s=evidence.period_s(probe)):
                wrong.append(f"{probe}{_seen_from(evidence, probe)} in {phase.name}: {why} unknown")
        for vantage, control in evidence.controls.items():
            codes = evidence.codes(control, deadline_s=CONTROL_DEADLINE_S, phase=phase)
            codes = codes.replace(BAD_CODE, UNKNOWN_CODE)  # a bad answer of ours is lost too
            if why := _blind(codes, period_s=evidence.period_s(control)):
                where = "" if vantage == BESIDE_HARNESS else f" ({_place(evidence, vantage)})"
                wrong.append(f"the sampler's control probe{where} in {phase.name}: {why} lost")
    if wrong:
        return Gate(name="prober", ok=False, reason="; ".join(wrong))
    policy = evidence.timeline.sampler.get("policy")
    said = f", scheduled as {policy}" if isinstance(policy, str) else ""
    allowed = f"at most {UNKNOWN_SHARE:.0%} of any {WINDOW_S:g} s"
    return Gate(
        name="prober",
        ok=True,
        reason=f"{allowed} unknown, {worst:.2%} of the worst phase{said}{_clocks(evidence)}",
    )


def _seen_from(evidence: Evidence, probe: str) -> str:
    vantage = evidence.experiment.probes[probe].vantage
    return "" if vantage == BESIDE_HARNESS else f" from {_place(evidence, vantage)}"


def _place(evidence: Evidence, vantage: str) -> str:
    """The vantage's word, with the node that it stood for and what is known to have befallen it."""
    told = evidence.clocks.get(vantage, {})
    word = f"node:{told.get('node')}"
    named = vantage if word == vantage or not told else f"{vantage}, {told['node']}"
    return f"{named}; {told['problem']}" if told.get("problem") else named


def _clocks(evidence: Evidence) -> str:
    """How well the times that were told elsewhere are known."""
    return "".join(
        f"; {_place(evidence, vantage)}: clock known to {evidence.clock_of(vantage) * 1e3:.2g} ms"
        + (f", scheduled as {policy}" if (policy := told.get("policy")) else "")
        for vantage, told in evidence.clocks.items()
    )


def _blind(codes: bytes, *, period_s: float) -> str:
    """How many samples a phase lost where it lost too many at a time; empty where it did not.

    One is never too many: a probe at 2 Hz has but twenty in a window.
    """
    lost = [found.start() for found in re.finditer(UNKNOWN_CODE, codes)]
    window = round(WINDOW_S / period_s)
    allowed = max(1, int(window * UNKNOWN_SHARE))
    close = any(last - first < window for first, last in zip(lost, lost[allowed:], strict=False))
    return f"{len(lost)} of {len(codes)}" if close else ""


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


def _upgrade(evidence: Evidence) -> Iterable[Gate]:
    """Of an experiment that awaits somebody's own upgrade: did one take place?"""
    if evidence.experiment.upgrade is not None:
        told = evidence.timeline.last("upgrade_proved")
        data = {"evidence": "nobody looked whether there was one"} if told is None else told.data
        yield Gate(name="upgrade", ok=data.get("ok") is True, reason=str(data.get("evidence", "")))


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
    if cut := evidence.cut_short:
        return Gate(name="complete", ok=False, reason=cut)
    series = evidence.timeline.series
    silent = [probe for probe in evidence.experiment.probes if not len(series.get(probe) or ())]
    if silent:
        reason = f"no samples of {', '.join(silent)}"
        return Gate(name="complete", ok=False, reason=reason)
    return Gate(name="complete", ok=True, reason="every step left its record")
