"""Writes the cases as run directories: `python -m tests.replay.storing [CASE]…` (all of them).

To be called where a case or the verdict's shape has changed; what the judge says is stored too,
and test_stored_runs.py holds it against what cases.py expects.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from quorate.harness.judge import judge
from quorate.harness.model.frame import CONTROLS, HYPOTHESIS, RUNTIME
from quorate.harness.store.run_directory import RunDirectory
from tests.replay.cases import CASES, RATE_HZ, T_END, Case, Json, happened
from tests.replay.rescheduling_cases import RESCHEDULING_CASES

ALL: Mapping[str, Case] = {**CASES, **RESCHEDULING_CASES}
STORED = Path(__file__).parent / "stored"
CONTROL_HZ = 10
SPELLING = {".": ("OK", 0.004), "!": ("FAILED", 0.002), "?": ("UNKNOWN", 0.0), "~": ("OK", 1.5)}
"""Letter → outcome and how long it took."""


def folder_of(name: str) -> Path:
    """Where a case is stored."""
    return STORED / f"20260101T000000Z-{name}-0000"


def files(name: str) -> dict[str, str]:
    """Every file of a case's run directory but the verdict: name → text."""
    case = ALL[name]
    folder = folder_of(name)
    identity = {"format": 1, "id": folder.name, "base": {"monotonic_ns": 0}}
    made = {
        "run.json": _text({**identity, "bounds": list(case.bounds)}),
        "experiment.yaml": yaml.safe_dump(_experiment(case), sort_keys=False),
        "sampler.json": _text({"complete": True}),
        "events.jsonl": _lines(_events(case), torn=case.torn),
    }
    if case.samples is not None:
        lines = _samples(case.samples, rate_hz=RATE_HZ, changes=case.changes)
        ordered = lines[::-1] if case.last_first else lines
        made["samples/api.jsonl"] = _lines(ordered, torn=case.torn)
    length_s = T_END if case.samples is None else len(case.samples) / RATE_HZ
    ticks = round(length_s * CONTROL_HZ)
    made["samples/_control.jsonl"] = _lines(_samples("." * ticks, rate_hz=CONTROL_HZ, changes={}))
    return made


def _experiment(case: Case) -> Json:
    probe = {"probe": "api_quorum_read", "path": "vip", "connection": "new", "rate_hz": RATE_HZ}
    steps = [
        {"type": "action", "name": func,
         "provider": {"type": "python", "module": "quorate.faults", "func": func}}
        for func in case.method
    ]  # fmt: skip
    plan = {"name": "quorate", "format": 1, "baseline_s": 6.2, "probes": {"api": probe}}
    return {
        "title": f"Made up: {case.trap}",
        "description": "Not a run of any cluster; see tests/replay/cases.py.",
        "controls": CONTROLS,
        "runtime": RUNTIME,
        "steady-state-hypothesis": HYPOTHESIS,
        "method": steps,
        "extensions": [{**plan, "objectives": list(case.objectives), **case.plan}],
    }


def _events(case: Case) -> list[Json]:
    kept = [one for one in happened(case.method) if one["kind"] not in case.without]
    return [*kept, *case.events]


def _samples(spelled: str, *, rate_hz: int, changes: Mapping[int, Json]) -> list[Json]:
    found = []
    for k, letter in enumerate(spelled):
        if letter == " ":
            continue
        outcome, latency_s = SPELLING[letter]
        due = round(k / rate_hz, 6)
        sample = {"k": k, "due": due, "end": round(due + latency_s, 6), "o": outcome}
        found.append({**sample, **changes.get(k, {})})
    return found


def _lines(rows: Sequence[Json], *, torn: bool = False) -> str:
    text = "".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows)
    return text[:-12] if torn else text


def _text(value: Json) -> str:
    return json.dumps(value, indent=2, sort_keys=True) + "\n"


def store(name: str) -> None:
    """Write a case's run directory, and the verdict of today's judge into it."""
    folder = folder_of(name)
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "samples").mkdir(parents=True)
    for file, text in files(name).items():
        (folder / file).write_text(text, encoding="utf-8")
    run = RunDirectory.open(folder)
    verdict = judge(run.experiment(), run.timeline())
    (folder / "verdict.json").write_text(verdict.to_json(), encoding="utf-8")


def main(names: Sequence[str]) -> None:
    """Store the cases that are named, or all of them."""
    for name in names or ALL:
        store(name)
        print(folder_of(name).name)


if __name__ == "__main__":
    main(sys.argv[1:])
