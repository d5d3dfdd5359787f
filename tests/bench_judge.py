"""How long a run of a million samples takes to be judged again, and how much memory it takes.

    python -m tests.bench_judge [--record]        (a part of `python3 noxfile.py bench`)

`--record` appends a row to docs/evidence/judge.md. The run is made up: eight probes; one of them
out for ten seconds, with answers that come late, one with a third of its requests failing all the
time. What is timed is the whole command `quorate judge RUN`, Python's start included, the best of
three. The processor's time is told beside it, since a machine that has other work takes longer;
memory is the most that the kernel saw resident.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.bench import QUORATE, Table, line, record

SAMPLES = 1_000_000
SECONDS, MEGABYTES = 5.0, 300.0
PROBES, RATE_HZ, CONTROL_HZ = 8, 20, 10
T_FAULT, LEG_S = 30.0, 20.0
"""When the fault begins, and how long the return leg is at the run's end, seconds."""

JUDGE = Table(
    "judge.md",
    "Judging a stored run of a million samples again (`noxfile.py bench`)",
    ("s", "CPU s", "MB"),
)
EXPERIMENT = Path(__file__).parents[1] / "experiments" / "vip_drop_holder.yaml"


def make_run(folder: Path, *, samples: int) -> Path:
    """A run directory with so many samples of PROBES probes, and those of the control probe."""
    path = folder / "20260101T000000Z-many_samples-0000"
    (path / "samples").mkdir(parents=True)
    length_s = samples / PROBES / RATE_HZ
    identity = {"format": 1, "id": path.name, "base": {"monotonic_ns": 0}}
    (path / "run.json").write_text(json.dumps(identity))
    (path / "experiment.yaml").write_text(yaml.safe_dump(_experiment()))
    events = ({"t": t, "kind": kind, "data": data} for t, kind, data in _events(length_s))
    (path / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
    for number in range(PROBES):
        with (path / "samples" / f"p{number}.jsonl").open("w") as file:
            file.writelines(_lines(number, count=samples // PROBES))
    with (path / "samples" / "_control.jsonl").open("w") as file:
        file.writelines(_line(k, k / CONTROL_HZ, 0.001) for k in range(int(length_s * CONTROL_HZ)))
    return path


def _experiment() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(EXPERIMENT.read_text())
    plan = document["extensions"][0]
    probe = {**plan["probes"]["api"], "rate_hz": RATE_HZ}
    plan["probes"] = {f"p{number}": probe for number in range(PROBES)}
    plan["abort_when"] = None
    plan["objectives"] = [
        {"indicator": indicator, "of": f"p{number}", "at_most": 60}
        for number in range(PROBES)
        for indicator in ("longest_outage_s", "weighted_outage_s", "outages", "bad_samples")
    ]
    return document


def _events(length_s: float) -> Iterator[tuple[float, str, dict[str, Any]]]:
    injection = {"injection": "i1", "fault": "node_power_off", "nodes": ["cp1"]}
    proof = {"injection": "i1", "ok": True, "evidence": "made up"}
    yield 0.0, "baseline_started", {}
    yield T_FAULT, "baseline_ended", {}
    yield T_FAULT, "injection_started", injection
    yield T_FAULT + 1, "injection_proved", proof
    yield length_s - LEG_S, "undo_started", injection
    yield length_s - LEG_S, "undo_done", proof
    yield length_s - 1, "whole", {"whole": True}
    yield length_s, "return_ended", {"reached": True}
    yield length_s, "sampling_stopped", {}
    yield length_s, "run_closed", {"reason": "completed"}


def _lines(number: int, *, count: int) -> Iterator[str]:
    """In the order of ticks, but for the outage of the first one, whose requests end together."""
    late = []
    for k in range(count):
        due = k / RATE_HZ
        if number == 0 and T_FAULT <= due < T_FAULT + 10:
            late.append(_line(k, due, T_FAULT + 10 - due, outcome="FAILED"))
            continue
        yield from late[::-1]
        late.clear()
        third = number == 1 and due >= T_FAULT and k % 3 == 0
        yield _line(k, due, 0.006, outcome="FAILED" if third else "OK")


def _line(k: int, due: float, took_s: float, *, outcome: str = "OK") -> str:
    why = "" if outcome == "OK" else ',"d":"ConnectionRefusedError"'
    start, end = round(due + 0.0003, 6), round(due + took_s, 6)
    times = f'"k":{k},"due":{round(due, 6)},"start":{start},"end":{end}'
    return f'{{{times},"o":"{outcome}"{why},"p":"138a650a"}}\n'


def measure(path: Path) -> tuple[float, float, float]:
    """(seconds, seconds of the processor, megabytes) of one `quorate judge`."""
    started = time.monotonic()
    child = subprocess.Popen([*QUORATE, "judge", str(path)], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in (0, 1, 3):
        raise SystemExit(f"quorate judge ended with {child.returncode}")
    return time.monotonic() - started, used.ru_utime + used.ru_stime, used.ru_maxrss / 1000


def main() -> int:
    """The exit code says whether it could be measured, not how it was."""
    with tempfile.TemporaryDirectory() as folder:
        path = make_run(Path(folder), samples=SAMPLES)
        runs = [measure(path) for _ in range(3)]
    took_s, cpu_s, megabytes = zip(*runs, strict=True)
    line("judging a million samples, best of three", min(took_s), "s", SECONDS)
    line("  of the processor", min(cpu_s), "s")
    line("  memory", max(megabytes), "MB", MEGABYTES)
    if "--record" in sys.argv[1:]:
        record(JUDGE, [f"{min(took_s):.1f}", f"{min(cpu_s):.1f}", f"{max(megabytes):.0f}"])
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
