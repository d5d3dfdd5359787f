"""A verdict for people: the answer first, then each number with its uncertainty, then why."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from quorate.harness.model.repetition import Comparison, Measured
from quorate.harness.model.verdict import (
    ComponentChange,
    Guard,
    ObjectiveResult,
    PredictionResult,
    Rung,
    State,
    Story,
    Verdict,
)
from quorate.reports.hostile import plain
from quorate.reports.rescheduling import rescheduling_lines

LINE_CHARACTERS = 20_000
"""Of one line; verdict.json has all of it."""

CHANGES_MAX = 40
"""Component changes shown; all of them are in verdict.json."""

_MEANING = {
    State.MET: "every objective was met",
    State.MISSED: "an objective was missed",
    State.INCONCLUSIVE: "this run does not answer the question",
}


def render_text(verdict: Verdict) -> str:
    """The whole report; it ends with a newline. Nothing in it steers a terminal."""
    return "\n".join(plain(line, at_most=LINE_CHARACTERS) for line in _lines(verdict)) + "\n"


def _lines(verdict: Verdict) -> Iterator[str]:
    yield f"{verdict.verdict}: {because(verdict)}"
    yield verdict.title
    yield f"run {verdict.run_id}"
    if verdict.arrangements:
        yield f"arranged before the run, on purpose: {', '.join(verdict.arrangements)}"
    yield from _section("Data safety", _data_safety(verdict))
    yield from _section("Objectives", list(_objectives(verdict)))
    yield from _section("What clients saw while the fault was on", list(_clients(verdict.clients)))
    yield from _section(
        "Predicted from the live configuration", [prediction_text(one) for one in verdict.predicted]
    )
    yield from _section("Rescheduling", list(rescheduling_lines(verdict.rescheduling)))
    yield from _section("What happened", list(_story(verdict.story)))
    yield from _section("Why this run counts, or does not", _gates(verdict))
    yield from _section("Notes", list(verdict.notes))


def because(verdict: Verdict) -> str:
    """The first thing that decided, in one line; lost data before all else."""
    for check in verdict.data_safety or ():
        if check.state is State.MISSED:
            return f"data safety: {check.name}: {check.reason}"
    for result in verdict.objectives:
        if verdict.verdict is State.MISSED and result.state is State.MISSED:
            return f"{name_of(result)} {compared(result)}"
    if verdict.verdict is State.INCONCLUSIVE:
        for gate in verdict.gates:
            if not gate.ok:
                return f"{gate.name}: {gate.reason}"
        for result in verdict.objectives:
            if result.state is State.INCONCLUSIVE:
                return f"{name_of(result)}: {result.reason}"
        for check in verdict.data_safety or ():
            if check.state is State.INCONCLUSIVE:
                return f"data safety: {check.name}: {check.reason}"
    return _MEANING[verdict.verdict]


def _section(title: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield ""
        yield title
        yield from (f"  {line}" for line in lines)


def _objectives(verdict: Verdict) -> Iterator[str]:
    yield from map(_objective, verdict.objectives)
    guard = verdict.guard
    if guard is not None and guard.tripped_at is None:
        bound = bound_text(guard, unit=" s")
        yield f"guard: an outage of {guard.of} {bound} before all is undone; it did not trip"


def _data_safety(verdict: Verdict) -> list[str]:
    return [
        f"{check.state:<12} {check.name}: {check.reason}" for check in verdict.data_safety or ()
    ]


def _objective(result: ObjectiveResult) -> str:
    text = f"{result.state:<12} {name_of(result)} {compared(result)}"
    return f"{text} ({result.reason})" if result.reason else text


def name_of(result: ObjectiveResult | Measured | Comparison) -> str:
    """What was asked: of whom, when, at which deadline."""
    words = [result.indicator]
    if result.of:
        words.append(f"of {', '.join(result.of)}")
    words.append(result.during if result.during.startswith("since") else f"during {result.during}")
    if result.deadline_s is not None:
        words.append(f"at a deadline of {result.deadline_s:g} s")
    guard = isinstance(result, ObjectiveResult) and result.guard
    return f"guard {' '.join(words)}" if guard else " ".join(words)


def compared(result: ObjectiveResult) -> str:
    """The number that was found, its range, and the bound."""
    return f"= {number_text(result)}, {bound_text(result, unit=unit_of(result))}"


def bound_text(judged: ObjectiveResult | Guard, *, unit: str) -> str:
    """``at most 8 s (by objectives.yaml; experiment: 5 s)``: whose it is where there are more."""
    text = f"at most {judged.bound:g}{unit}"
    others = [
        f"{source}: {bound:g}{unit}"
        for source, bound in judged.bounds.items()
        if source != judged.judged_by
    ]
    return f"{text} (by {judged.judged_by}; {', '.join(others)})" if others else text


def unit_of(result: ObjectiveResult | Measured | Comparison) -> str:
    """The unit, ready to stand behind a number."""
    return " s" if result.unit == "s" else f" {result.unit}"


def number_text(result: ObjectiveResult) -> str:
    """``3.35 s (3.30 to 3.40)``: the true number lies in the range."""
    if result.value is None:
        return "not measured"
    if result.unit == "%":
        return f"{result.value:.2f} % ({result.low or 0.0:.2f} to {result.high or 0.0:.2f})"
    if result.unit != "s":
        whole = f"{result.value:g} {result.unit}"
        unsure = result.high is not None and result.high != result.value
        return f"{whole} (up to {result.high:g})" if unsure else whole
    if result.censored or result.high is None:
        return f"more than {result.low or 0.0:.2f} s (not over when the data ended)"
    return f"{result.value:.2f} s ({result.low or 0.0:.2f} to {result.high:.2f})"


def _clients(rungs: Sequence[Rung]) -> Iterator[str]:
    """One line for all deadlines of a probe at which it saw the same."""
    for (probe, saw), same in itertools.groupby(
        rungs, key=lambda rung: (rung.probe, saw_text(rung))
    ):
        deadlines = [f"{rung.deadline_s:g}" for rung in same]
        span = deadlines[0] if len(deadlines) == 1 else f"{deadlines[0]} to {deadlines[-1]}"
        yield f"{probe} at a deadline of {span} s: {saw}"


def saw_text(rung: Rung) -> str:
    if not rung.failed and not rung.slow and not rung.unknown:
        return f"all {rung.samples} samples good"
    counts = ((rung.failed, "failed"), (rung.slow, "slow"), (rung.unknown, "unknown"))
    text = ", ".join(f"{number} {word}" for number, word in counts if number)
    text = f"of {rung.samples} samples {text}"
    if not rung.outages:
        return text
    text += f"; weighted {rung.weighted_s:.2f} s"
    if rung.scattered:
        return f"{text}, scattered: an interval's length says nothing here"
    endless = " and the last not over" if rung.censored else ""
    outages = "1 outage" if rung.outages == 1 else f"{rung.outages} outages"
    lengths = f"longest {rung.longest_s:.2f} s, in all {rung.total_s:.2f} s"
    return f"{text}, in {outages}{endless}: {lengths}"


def prediction_text(one: PredictionResult) -> str:
    """One line: what should come of it and why, and what came of it."""
    name = f"{one.component} settled" if one.component else one.what
    name += f" of {', '.join(one.of)}" if one.of else ""
    in_phase = one.of and one.during != "fault" and not one.during.startswith("since")
    name += f" during {one.during}" if in_phase else ""
    if one.low is None or one.high is None:
        return f"{name}: not predicted ({one.reason})"
    text = f"{name}: {range_text(one.low, one.high, one.unit)} ({one.formula})"
    if one.measured is None or one.between is None:
        return text
    word = "as predicted"
    if not one.inside:
        word = "NOT as predicted: this configuration is not what runs, or something else broke"
        word += f"; clients came back last after: {one.last}" if one.last else ""
    measured = f"{one.measured:g} samples"
    if one.unit == "s":
        measured = f"{one.measured:.2f} s ({one.between[0]:.2f} to {one.between[1]:.2f})"
    return f"{text}; measured {measured}, {word}"


def range_text(low: float, high: float, unit: str) -> str:
    if not high:
        return f"0 {unit}"
    return f"{low:.2f} to {high:.2f} s" if unit == "s" else f"{low:g} to {high:g} {unit}"


def _story(story: Story) -> Iterator[str]:
    if story.vip_holder_before is not None:
        yield f"the VIP was held by {story.vip_holder_before}"
    if story.etcd_leader_before is not None:
        yield f"etcd was led by {story.etcd_leader_before}{_both(story)}"
    if story.injected_at is not None:
        yield f"fault on {', '.join(story.faulted_nodes) or '?'} at {story.injected_at:.3f} s"
    yield from _outage(story)
    if story.last_component_for_whole is not None:
        yield f"the last component to come back: {story.last_component_for_whole}"
    if story.whole_at is not None:
        yield f"whole at {story.whole_at:.3f} s"


def _both(story: Story) -> str:
    if story.holder_led_etcd is None:
        return ""
    return ": the same machine" if story.holder_led_etcd else ", another machine"


def _outage(story: Story) -> Iterator[str]:
    if story.outage is None:
        return
    start, end = story.outage
    span = f"from {start:.3f} to {end:.3f} s ({end - start:.2f} s)"
    if story.scattered:
        yield f"requests of {story.outage_of} failed here and there, never three good on end {span}"
    else:
        yield f"clients of {story.outage_of} were out {span}"
    for change in story.components[:CHANGES_MAX]:
        yield f"  {change_text(change)}"
    if len(story.components) > CHANGES_MAX:
        yield f"  and {len(story.components) - CHANGES_MAX} changes more"
    if story.last_component_for_clients is not None:
        yield f"clients came back last after: {story.last_component_for_clients}"


def change_text(change: ComponentChange) -> str:
    mark = {True: "good", False: "bad", None: "unknown"}[change.good]
    node = f" {change.node}" if change.node else ""
    at = f" (on {change.at})" if change.at else ""
    return f"+{change.after_s:.3f} s  {change.component}{node}{at}: {change.state} [{mark}]"


def _gates(verdict: Verdict) -> list[str]:
    return [f"{'ok ' if gate.ok else 'NO '} {gate.name}: {gate.reason}" for gate in verdict.gates]
