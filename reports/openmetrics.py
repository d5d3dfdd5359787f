"""OpenMetrics text of one run, for a Prometheus (textfile collector, push gateway)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from quorate.harness.model.verdict import ObjectiveResult, State
from quorate.reports.hostile import one_line
from quorate.reports.record import RunRecord

_SUFFIXES = {"_s": ("_seconds", "seconds"), "_pct": ("_percent", "percent")}

Labels = Mapping[str, object]


def render_openmetrics(run: RunRecord) -> str:
    """All metric families; it ends with ``# EOF`` and a newline."""
    return "\n".join([*_lines(run), "# EOF"]) + "\n"


def _lines(run: RunRecord) -> Iterator[str]:
    who = {"run": run.verdict.run_id, "experiment": run.experiment_name, "cluster": run.cluster}
    yield from _family("quorate_run", "info", "What was run.")
    about = {"title": run.verdict.title, "quorate": run.identity.get("quorate_version", "")}
    yield _sample("quorate_run_info", {**who, **about}, 1)
    yield from _family("quorate_verdict", "stateset", "What the run came to.")
    yield from _states("quorate_verdict", who, run.state)
    yield from _family(
        "quorate_exit_code", "gauge", "0 MET, 1 MISSED, 3 INCONCLUSIVE, 4 undo failed."
    )
    yield _sample("quorate_exit_code", who, run.exit_code)
    if run.began is not None:
        name = "quorate_run_started_timestamp_seconds"
        yield from _family(name, "gauge", "When the run began.", unit="seconds")
        yield _sample(name, who, run.began.timestamp())
    yield from _objectives(run, who)
    yield from _clients(run, who)
    if run.verdict.data_safety:
        yield from _family("quorate_data_safety", "stateset", "Did the cluster keep its word?")
        for check in run.verdict.data_safety:
            yield from _states("quorate_data_safety", {**who, "check": check.name}, check.state)


def _objectives(run: RunRecord, who: Labels) -> Iterator[str]:
    families: dict[str, list[tuple[Labels, ObjectiveResult]]] = {}
    for one in run.verdict.objectives:
        families.setdefault(one.indicator, []).append(({**who, **_labels(one)}, one))
    if families:
        yield from _family("quorate_objective", "stateset", "Was the objective met?")
    for name, found in families.items():
        for labels, one in found:
            yield from _states("quorate_objective", {**labels, "indicator": name}, one.state)
    for name, found in families.items():
        metric, unit = _metric(name)
        yield from _family(
            metric, "gauge", "Measured, the true one's range, and the bound.", unit=unit
        )
        for labels, one in found:
            numbers = {
                "measured": one.value,
                "least": one.low,
                "most": one.high,
                "bound": one.bound,
            }
            for word, number in numbers.items():
                if number is not None and not (one.censored and word == "most"):
                    yield _sample(metric, {**labels, "number": word}, number)


def _labels(one: ObjectiveResult) -> Labels:
    deadline = "" if one.deadline_s is None else f"{one.deadline_s:g}"
    guard = "true" if one.guard else "false"
    return {"of": ",".join(one.of), "during": one.during, "deadline_s": deadline, "guard": guard}


def _clients(run: RunRecord, who: Labels) -> Iterator[str]:
    if not run.verdict.clients:
        return
    yield from _family("quorate_samples", "gauge", "What clients saw while the fault was on.")
    for rung in run.verdict.clients:
        labels = {**who, "probe": rung.probe, "deadline_s": f"{rung.deadline_s:g}"}
        bad = {"failed": rung.failed, "slow": rung.slow, "unknown": rung.unknown}
        for outcome, count in {"good": rung.samples - sum(bad.values()), **bad}.items():
            yield _sample("quorate_samples", {**labels, "outcome": outcome}, count)


def _metric(indicator: str) -> tuple[str, str]:
    """``longest_outage_s`` → ``quorate_longest_outage_seconds`` and its unit."""
    name = re.sub(r"[^a-z0-9_]+", "_", indicator.lower())[:100]
    for suffix, (spelled, unit) in _SUFFIXES.items():
        if name.endswith(suffix):
            return f"quorate_{name.removesuffix(suffix)}{spelled}", unit
    return f"quorate_{name}", ""


def _family(name: str, kind: str, text: str, *, unit: str = "") -> Iterator[str]:
    yield f"# TYPE {name} {kind}"
    if unit:
        yield f"# UNIT {name} {unit}"
    yield f"# HELP {name} {text}"


def _states(name: str, labels: Labels, state: State) -> Iterator[str]:
    for one in State:
        yield _sample(name, {**labels, name: one.value}, int(one is state))


def _sample(name: str, labels: Labels, value: float) -> str:
    told = ",".join(f'{key}="{_escaped(one)}"' for key, one in labels.items())
    return f"{name}{{{told}}} {float(value)!r}"


def _escaped(value: object) -> str:
    return one_line(value).replace("\\", "\\\\").replace('"', '\\"')
