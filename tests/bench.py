"""How long things take here, and how big they are, beside the bounds that issues and README name.

    python3 noxfile.py bench [judge] [sampler] [lab] [start] [--record]

`judge` is bench_judge.py; `sampler` is known/cost.py, whose ticks are counted once more while the
lab of `lab` runs; `start` is how soon commands answer, beside `chaos --help`, on the cluster that
quorate finds by itself (only where it is named). `--record` appends rows to docs/evidence. The lab
is one of its own (`bench`) and is removed. With a filled cache its first line is what the bound is
about; with an empty one it says how long the parts took, and the second call is the benchmark.
The command's start time is the best of five: the machine's noise only ever adds.
"""

from __future__ import annotations

import datetime
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from quorate import __version__
from quorate.harness.cluster.state import state_directory
from tests.evidence import EVIDENCE, ROOT

NAME = "bench"
QUORATE = [sys.executable, "-m", "quorate"]
MODULES = {"judge": "tests.bench_judge", "sampler": "tests.known.cost"}
"""Parts that are programs of their own."""


class Table(NamedTuple):
    """A table of docs/evidence: its file's name, its heading, and what follows date and machine."""

    name: str
    title: str
    columns: Sequence[str]


LAB = Table(
    "lab.md",
    "The lab: three control planes and three workers, cache filled (`noxfile.py bench`)",
    ("help ms", "up s", "disk GB", "stop and start s", "down s"),
)


START = Table(
    "start-up.md",
    "How soon commands answer: least and median of ten, in turn (`noxfile.py bench start`)",
    ("quorate --help ms", "chaos --help ms", "ratio of the medians", "quorate plan s"),
)
STARTS = 10


def timed(argv: Sequence[str]) -> tuple[float, str]:
    """Seconds and standard output of a command that must succeed; progress stays visible."""
    started = time.monotonic()
    done = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=True)
    return time.monotonic() - started, done.stdout


def disk_bytes(*top: Path) -> int:
    """What folders really take: each file once, however many links it has, holes not counted."""
    seen, total = set(), 0
    for root, folders, files in (each for folder in top for each in os.walk(folder)):
        device = os.lstat(root).st_dev
        for name in (*folders, *files):
            try:
                status = os.lstat(os.path.join(root, name))
            except FileNotFoundError:
                continue  # the cluster is alive
            mounted = (
                status.st_dev != device
            )  # a node's root, whose layers are counted by themselves
            if mounted and name in folders:
                folders.remove(name)
            elif (status.st_dev, status.st_ino) not in seen:
                seen.add((status.st_dev, status.st_ino))
                total += status.st_blocks * 512
    return total


def shared_folders() -> list[Path]:
    """What the lab's machines share: root file system, programs, unpacked images."""
    lab = json.loads((state_directory() / "labs" / NAME / "lab.json").read_text())
    return [*map(Path, lab["lower"]), Path(lab["store"])]


def record(table: Table, rows: Sequence[str]) -> None:
    """Append the measured row to a committed table, with machine, date and version."""
    path = EVIDENCE / table.name
    new = not path.exists()
    with path.open("a") as file:
        if new:
            file.write(f"# {table.title}\n\n")
            file.write(f"| date | version | machine | {' | '.join(table.columns)} |\n")
            file.write("|---" * (3 + len(table.columns)) + "|\n")
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
        machine = f"{os.cpu_count()} cores, {memory:.0f} GiB, Linux {os.uname().release}"
        words = [f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}", __version__, machine, *rows]
        file.write(f"| {' | '.join(words)} |\n")


def line(what: str, value: float, unit: str, bound: float | None = None) -> None:
    """One row, with its bound where there is one."""
    limit = "" if bound is None else f"at most {bound:g} {unit}"
    over = " OVER" if bound is not None and value > bound else ""
    print(f"{what:40} {value:9.1f} {unit:3} {limit}{over}", flush=True)


def measure(*options: str) -> list[str]:
    """Every column of the lab's row, measured once. ``options`` are for the sampler's part."""
    starts = [timed([*QUORATE, "--help"])[0] * 1000 for _ in range(5)]
    line("quorate --help, best of five", min(starts), "ms", 150)
    lab = [*QUORATE, "lab"]
    named = ["--name", NAME]
    try:
        up_s, answer = timed([*lab, "up", *named, "--fix-host", "--json"])
        line("lab up, 3 control planes + 3 workers", up_s, "s", 100)
        for step, duration_s in json.loads(answer)["steps_s"].items():
            line(f"  {step}"[:40], duration_s, "s")
        disk_gb = disk_bytes(state_directory() / "labs" / NAME, *shared_folders()) / 1e9
        line("disk of the lab and all it shares", disk_gb, "GB", 3)
        ticks = [sys.executable, "-m", MODULES["sampler"], "ticks", *options]
        subprocess.run([*ticks, "--beside", "a lab of six machines"], check=True, cwd=ROOT)
        stop_s, _ = timed([*lab, "stop", *named])
        line("lab stop", stop_s, "s")
        start_s, _ = timed([*lab, "start", *named])
        line("lab start until whole", start_s, "s")
        line("lab stop and start until whole", stop_s + start_s, "s", 40)
    finally:
        down_s, _ = timed([*lab, "down", *named])
    line("lab down", down_s, "s")
    values = (min(starts), up_s, disk_gb, stop_s + start_s, down_s)
    return [f"{value:.1f}" for value in values]


def measure_start() -> list[str]:
    """Every column of START's row. One of each in turn, so that the machine's mood is shared."""
    told: dict[str, list[float]] = {"quorate --help": [], "chaos --help": [], "quorate plan": []}
    peer = Path(sys.executable).with_name("chaos")
    for _ in range(STARTS):
        told["quorate --help"].append(timed([*QUORATE, "--help"])[0] * 1000)
        told["chaos --help"].append(timed([str(peer), "--help"])[0] * 1000)
        told["quorate plan"].append(timed([*QUORATE, "plan", "vip_drop_holder"])[0])
    middle = {what: statistics.median(values) for what, values in told.items()}
    line("quorate --help, median", middle["quorate --help"], "ms", 150)
    line("chaos --help, median", middle["chaos --help"], "ms")
    line("quorate plan vip_drop_holder, median", middle["quorate plan"], "s", 2.5)
    ratio = middle["quorate --help"] / middle["chaos --help"]
    cells = [f"{min(values):.2f} {middle[what]:.2f}" for what, values in told.items()]
    return [*cells[:2], f"{ratio:.2f}", cells[2]]


def main() -> int:
    """The exit code says whether it could be measured, not how it was."""
    options = [word for word in sys.argv[1:] if word.startswith("-")]
    parts = [word for word in sys.argv[1:] if word not in options] or ["judge", "sampler", "lab"]
    for module in [MODULES[part] for part in parts if part in MODULES]:
        subprocess.run([sys.executable, "-m", module, *options], check=True, cwd=ROOT)
    if "lab" in parts:
        rows = measure(*options)
        if "--record" in options:
            record(LAB, rows)
    if "start" in parts:
        rows = measure_start()
        if "--record" in options:
            record(START, rows)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
