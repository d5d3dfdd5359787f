"""A verdict for people: the answer first, then each number with its uncertainty, then why."""

from __future__ import annotations

from collections.abc import Iterator

from quorate.harness.model.verdict import (
    ComponentChange,
    ObjectiveResult,
    PredictionResult,
    State,
    Story,
    Verdict,
)

CHANGES_MAX = 40
"""Component changes shown; all of them are in verdict.json."""

_MEANING = {
    State.MET: "every objective was met",
    State.MISSED: "an objective was missed",
    State.INCONCLUSIVE: "this run does not answer the question",
}


def render_text(verdict: Verdict) -> str:
    """The whole report; it ends with a newline."""
    return "\n".join(_lines(verdict)) + "\n"


def _lines(verdict: Verdict) -> Iterator[str]:
    yield f"{verdict.verdict}: {_because(verdict)}"
    yield verdict.title
    yield f"run {verdict.run_id}"
    if verdict.arrangements:
        yield f"arranged before the run, on purpose: {', '.join(verdict.arrangements)}"
    yield from _section("Data safety", _data_safety(verdict))
    yield from _section("Objectives", [_objective(result) for result in verdict.objectives])
    yield from _section("Predicted from the live configuration", _predictions(verdict))
    yield from _section("What happened", list(_story(verdict.story)))
    yield from _section("Why this run counts, or does not", _gates(verdict))
    yield from _section("Notes", list(verdict.notes))


def _because(verdict: Verdict) -> str:
    """The first thing that decided, in one line; lost data before all else."""
    for check in verdict.data_safety or ():
        if check.state is State.MISSED:
            return f"data safety: {check.name}: {check.reason}"
    for result in verdict.objectives:
        if verdict.verdict is State.MISSED and result.state is State.MISSED:
            return f"{_name(result)} {_compared(result)}"
    if verdict.verdict is State.INCONCLUSIVE:
        for gate in verdict.gates:
            if not gate.ok:
                return f"{gate.name}: {gate.reason}"
        for result in verdict.objectives:
            if result.state is State.INCONCLUSIVE:
                return f"{_name(result)}: {result.reason}"
        for check in verdict.data_safety or ():
            if check.state is State.INCONCLUSIVE:
                return f"data safety: {check.name}: {check.reason}"
    return _MEANING[verdict.verdict]


def _section(title: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield ""
        yield title
        yield from (f"  {line}" for line in lines)


def _data_safety(verdict: Verdict) -> list[str]:
    return [
        f"{check.state:<12} {check.name}: {check.reason}" for check in verdict.data_safety or ()
    ]


def _objective(result: ObjectiveResult) -> str:
    text = f"{result.state:<12} {_name(result)} {_compared(result)}"
    return f"{text} ({result.reason})" if result.reason else text


def _name(result: ObjectiveResult) -> str:
    words = [result.indicator]
    if result.of:
        words.append(f"of {', '.join(result.of)}")
    words.append(result.during if result.during.startswith("since") else f"during {result.during}")
    if result.deadline_s is not None:
        words.append(f"at a deadline of {result.deadline_s:g} s")
    return f"guard {' '.join(words)}" if result.guard else " ".join(words)


def _compared(result: ObjectiveResult) -> str:
    bound = f"at most {result.bound:g}{_unit(result)}"
    return f"= {_number(result)}, {bound}"


def _unit(result: ObjectiveResult) -> str:
    return " s" if result.unit == "s" else f" {result.unit}"


def _number(result: ObjectiveResult) -> str:
    """``3.35 s (3.30 to 3.40)``: the true number lies in the range."""
    if result.value is None:
        return "not measured"
    if result.unit != "s":
        whole = f"{result.value:g} {result.unit}"
        unsure = result.high is not None and result.high != result.value
        return f"{whole} (up to {result.high:g})" if unsure else whole
    if result.censored or result.high is None:
        return f"more than {result.low or 0.0:.2f} s (not over when the data ended)"
    return f"{result.value:.2f} s ({result.low or 0.0:.2f} to {result.high:.2f})"


def _predictions(verdict: Verdict) -> list[str]:
    return [_prediction(one) for one in verdict.predicted]


def _prediction(one: PredictionResult) -> str:
    part = f"  of which {one.component}" if one.component else one.what
    text = f"{part}: {one.low_s:.2f} to {one.high_s:.2f} s ({one.formula})"
    if one.inside is None or one.measured_s is None:
        return text
    word = "as predicted" if one.inside else "NOT as predicted: this configuration is not what runs"
    return f"{text}; measured {one.measured_s:.2f} s ± {one.tolerance_s:.2f}, {word}"


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
    yield f"clients of {story.outage_of} were out {span}"
    for change in story.components[:CHANGES_MAX]:
        yield f"  {_change(change)}"
    if len(story.components) > CHANGES_MAX:
        yield f"  and {len(story.components) - CHANGES_MAX} changes more"
    if story.last_component_for_clients is not None:
        yield f"clients came back last after: {story.last_component_for_clients}"


def _change(change: ComponentChange) -> str:
    mark = {True: "good", False: "bad", None: "unknown"}[change.good]
    node = f" {change.node}" if change.node else ""
    at = f" (on {change.at})" if change.at else ""
    return f"+{change.after_s:.3f} s  {change.component}{node}{at}: {change.state} [{mark}]"


def _gates(verdict: Verdict) -> list[str]:
    return [f"{'ok ' if gate.ok else 'NO '} {gate.name}: {gate.reason}" for gate in verdict.gates]
