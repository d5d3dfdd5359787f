"""How long the lab takes here, and how big it is, beside the bounds that issue and README name.

    python3 noxfile.py bench

Uses a lab of its own (`bench`) and removes it. With a filled cache the first line is what the bound
is about; with an empty one it says how long the parts took, and the second call is the benchmark.
The command's start time is the best of five: the machine's noise only ever adds.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from quorate.harness.cluster.state import state_directory

NAME = "bench"
QUORATE = [sys.executable, "-m", "quorate"]


def timed(argv: Sequence[str]) -> tuple[float, str]:
    """Seconds and standard output of a command that must succeed; progress stays visible."""
    started = time.monotonic()
    done = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=True)
    return time.monotonic() - started, done.stdout


def disk_bytes(folder: Path) -> int:
    """What a folder really takes: each file once, however many links it has, holes not counted."""
    seen, total = set(), 0
    for root, folders, files in os.walk(folder):
        for name in (*folders, *files):
            try:
                status = os.lstat(os.path.join(root, name))
            except FileNotFoundError:
                continue  # the cluster is alive
            if (status.st_dev, status.st_ino) not in seen:
                seen.add((status.st_dev, status.st_ino))
                total += status.st_blocks * 512
    return total


def line(what: str, value: float, unit: str, bound: float | None = None) -> None:
    """One row, with its bound where there is one."""
    limit = "" if bound is None else f"at most {bound:g} {unit}"
    over = " OVER" if bound is not None and value > bound else ""
    print(f"{what:40} {value:9.1f} {unit:3} {limit}{over}", flush=True)


def main() -> int:
    """Measure everything once; the exit code says whether it could be measured, not how it was."""
    starts = [timed([*QUORATE, "--help"])[0] * 1000 for _ in range(5)]
    line("quorate --help, best of five", min(starts), "ms", 150)
    lab = [*QUORATE, "lab"]
    named = ["--name", NAME]
    try:
        up_s, answer = timed([*lab, "up", *named, "--json"])
        line("lab up, 3 control planes + 3 workers", up_s, "s", 100)
        for step, duration_s in json.loads(answer)["steps_s"].items():
            line(f"  {step}"[:40], duration_s, "s")
        line("disk of the lab", disk_bytes(state_directory() / "labs" / NAME) / 1e9, "GB", 3)
        stop_s, _ = timed([*lab, "stop", *named])
        line("lab stop", stop_s, "s")
        start_s, _ = timed([*lab, "start", *named])
        line("lab start until whole", start_s, "s")
        line("lab stop and start until whole", stop_s + start_s, "s", 40)
    finally:
        down_s, _ = timed([*lab, "down", *named])
    line("lab down", down_s, "s")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
