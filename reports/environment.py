"""What a run ran on and by: its identity, the sampler's own word, the cluster's fingerprint."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence

from quorate.harness.model.fingerprint import Fingerprint
from quorate.reports.hostile import masked, one_line, words
from quorate.reports.record import RunRecord

Row = tuple[str, str]

_LATENESS = ("p50", "p99", "p99.9", "max")


def identity_rows(run: RunRecord) -> list[Row]:
    """Versions, seed, command; what the run's own file says and no more."""
    told = run.identity
    rows = [
        ("run", one_line(run.verdict.run_id)),
        ("cluster", run.cluster),
        ("experiment", one_line(told.get("experiment_file", ""))),
        ("began", run.began.isoformat(timespec="seconds") if run.began else ""),
        ("lasted", f"{run.end:.1f} s"),
        ("quorate", one_line(told.get("quorate_version", ""))),
        ("Python", one_line(told.get("python", ""))),
        ("seed", one_line(told.get("seed", ""))),
        ("command", one_line(shlex.join(masked(words(told.get("argv")))))),
    ]
    return [(name, value) for name, value in rows if value]


def sampler_rows(run: RunRecord) -> list[Row]:
    """How punctual the samplers were: beside the harness first, then each vantage."""
    rows = list(_sampler("", run.timeline.sampler))
    vantages = run.timeline.sampler.get("vantages")
    if isinstance(vantages, Mapping):
        for name, told in vantages.items():
            rows += _sampler(f"{one_line(name)}: ", told if isinstance(told, Mapping) else {})
    return rows


def _sampler(whose: str, told: Mapping[str, object]) -> Iterator[Row]:
    late = told.get("lateness_s")
    if isinstance(late, Mapping):
        parts = [f"{word} {_milliseconds(late[word])}" for word in _LATENESS if word in late]
        yield f"{whose}its own lateness", ", ".join(parts)
    for name, key in (
        ("scheduled as", "policy"),
        ("stalls", "stalls"),
        ("problem", "problem"),
        ("links lost", "links_lost"),
    ):
        if told.get(key) not in (None, ""):
            yield f"{whose}{name}", one_line(told[key])
    clock = told.get("clock")
    if isinstance(clock, Mapping) and "uncertainty_s" in clock:
        yield f"{whose}clock known to", _milliseconds(clock["uncertainty_s"])
    if told and told.get("complete") is not True:
        yield f"{whose}ended in order", "no"


def _milliseconds(value: object) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value * 1000:.2f} ms"
    return one_line(value)


def settings_rows(fingerprint: Fingerprint) -> list[tuple[str, str, str]]:
    """(setting, value, where): what is alike on several nodes is one row."""
    rows = [
        (one_line(what), one_line(value), "the cluster")
        for what, value in sorted(fingerprint.cluster.items())
    ]
    alike: dict[Row, list[str]] = {}
    for node, settings in sorted(fingerprint.nodes.items()):
        for what, value in settings.items():
            alike.setdefault((what, value), []).append(one_line(node))
    return rows + [
        (one_line(what), one_line(value), _where(nodes, of=len(fingerprint.nodes)))
        for (what, value), nodes in sorted(alike.items())
    ]


def _where(nodes: Sequence[str], *, of: int) -> str:
    return "all nodes" if len(nodes) == of > 1 else ", ".join(nodes)
