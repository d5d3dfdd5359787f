"""What the sampler costs, and whether it keeps its ticks; part of `python3 noxfile.py bench`.

    python -m tests.known.cost [cost] [ticks] [hour] [--beside WORDS] [--record] [--quick]

cost   CPU per sample over new and reused TLS connections, beside a plain loop over `http.client`
       and over `requests`: the same server, the same certificates, in turn, several times
ticks  eight paths at 20 Hz, two over new connections and six over reused ones, while a process at
       nice 0 keeps each core busy: how many ticks are sent within 5 ms of their due time; the
       same while all eight are swallowed by a black hole for 30 s
hour   as many samples as those eight make in an hour, five times as fast: how memory grows

`--record` appends rows to docs/evidence/sampler-cost.md and sampler-ticks.md; `--beside` says what
else was running. `--quick` takes a few seconds for each, to see that it works.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from quorate.harness.model.probe_plan import ClientCredentials, ProbePlan
from quorate.harness.sampling.sampler import Sampler
from quorate.harness.store.run_directory import RunDirectory
from tests.evidence import EVIDENCE, ROOT, Stamped, row_appended, stamp
from tests.known import certificates
from tests.known.answers import new_run
from tests.known.plain_loop import CLIENTS
from tests.known.switch import Outage, Switch

RATE_HZ = 20.0
PATHS = 8
FRESH = 2
NEAR_S = 0.005
FASTER = 5.0
CONNECTIONS = ("new", "reused")
PARTS = ("cost", "ticks", "hour")


@dataclass(frozen=True)
class Length:
    """How long each part takes, seconds, and how often it is repeated."""

    cost_s: float = 20.0
    repeats: int = 3
    ticks_s: float = 60.0
    hole_s: float = 30.0
    hour_s: float = 3600 / FASTER


QUICK = Length(cost_s=2.0, repeats=1, ticks_s=3.0, hole_s=3.0, hour_s=10.0)


@dataclass(frozen=True)
class Cost(Stamped):
    """CPU of one client over one kind of connection; ``times_ours``: beside the sampler's."""

    client: str
    connection: str
    pace: str
    cpu_ms_a_request: str
    repeats: str
    times_ours: str


@dataclass(frozen=True)
class Ticks(Stamped):
    """Ticks of eight paths under one condition."""

    condition: str
    policy: str
    ticks: str
    within_5_ms: str
    p999_ms: str
    max_ms: str
    memory_mb: str
    grew_mb: str


TABLES: Mapping[type[Stamped], str] = {Cost: "sampler-cost.md", Ticks: "sampler-ticks.md"}


class Work:
    """A sampler at work on the server, in a run directory of its own."""

    def __init__(self, run: RunDirectory, sampler: Sampler) -> None:
        self._run = run
        self._sampler = sampler

    @property
    def _proc(self) -> Path:
        process = self._sampler._process
        assert process is not None
        return Path("/proc") / str(process.pid)

    def cpu_s(self) -> float:
        """CPU time so far; the sampler has one thread."""
        return int((self._proc / "schedstat").read_text().split()[0]) / 1e9

    def memory_mb(self) -> float:
        """Resident memory."""
        pages = int((self._proc / "statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def lateness_s(self, paths: Sequence[str]) -> list[float]:
        """Sent less due of every tick of these paths, sorted; infinite where none was sent."""
        late: list[float] = []
        for path in paths:
            numbers = []
            with self._run.samples_file(path).open() as lines:
                for line in lines:
                    sample = json.loads(line)
                    numbers.append(sample["k"])
                    late.append(sample["start"] - sample["due"])
            late += [math.inf] * (max(numbers) + 1 - len(numbers))
        return sorted(late)

    @property
    def policy(self) -> str:
        """How the sampler was scheduled; known once it has stopped."""
        return str(self._run.timeline().sampler["policy"])


class Bench:
    """A server, its certificates, and a folder for runs."""

    def __init__(self, switch: Switch, folder: Path, length: Length) -> None:
        self.switch = switch
        self.folder = folder
        self.length = length

    @contextlib.contextmanager
    def at_work(self, plans: Mapping[str, ProbePlan]) -> Iterator[Work]:
        """A sampler that asks by these plans."""
        run = new_run(self.folder / "runs")
        sampler = Sampler(run, plans)
        with self.switch.inside():
            sampler.start()
        try:
            yield Work(run, sampler)
        finally:
            sampler.stop()

    def plan(self, connection: str, *, rate_hz: float) -> ProbePlan:
        """With a client certificate, as API servers want one."""
        pem = {name: (self.folder / name).read_text() for name in ("ca.pem", "client.pem")}
        credentials = ClientCredentials(
            ca_pem=pem["ca.pem"],
            certificate_pem=pem["client.pem"],
            key_pem=(self.folder / "client.key").read_text(),
        )
        return self.switch.plan(connection=connection, rate_hz=rate_hz, credentials=credentials)

    def paths(self, *, rate_hz: float) -> dict[str, ProbePlan]:
        """Two over new connections, the rest over reused ones."""
        return {
            f"path{number}": self.plan("new" if number < FRESH else "reused", rate_hz=rate_hz)
            for number in range(PATHS)
        }

    # --- the three parts

    def sampler_s(self, connection: str | None) -> float:
        """CPU seconds of one second of sampling over this kind of connection; None: of nothing."""
        plans = {"api": self.plan(connection, rate_hz=RATE_HZ)} if connection else {}
        with self.at_work(plans) as work:
            time.sleep(0.5)
            before, since = work.cpu_s(), time.monotonic()
            time.sleep(self.length.cost_s)
            return (work.cpu_s() - before) / (time.monotonic() - since)

    def plain_s(self, client: str, connection: str, *, rate_hz: float) -> float:
        """CPU seconds a request of a plain loop."""
        words = [client, connection, str(rate_hz), str(self.length.cost_s), str(self.folder)]
        argv = [sys.executable, "-m", "tests.known.plain_loop", *words]
        with self.switch.inside():
            done = subprocess.run(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
        return float(done.stdout)

    def costs(self) -> list[Cost]:
        """Everybody in turn, as often as asked; the rows say median, least and most."""
        seen: dict[tuple[str, str, str], list[float]] = {}
        for _ in range(self.length.repeats):
            idle_s = self.sampler_s(None)
            for connection in CONNECTIONS:
                own = (self.sampler_s(connection) - idle_s) / RATE_HZ
                seen.setdefault(("quorate", connection, "20 Hz"), []).append(own)
                for client in CLIENTS:
                    for pace, rate_hz in (("20 Hz", RATE_HZ), ("back to back", 0.0)):
                        took = self.plain_s(client, connection, rate_hz=rate_hz)
                        seen.setdefault((client, connection, pace), []).append(took)
        return [
            Cost(
                **stamp(),
                client=client,
                connection=connection,
                pace=pace,
                cpu_ms_a_request=spelled([1000 * one for one in values]),
                repeats=str(len(values)),
                times_ours=_ratio(values, seen["quorate", connection, "20 Hz"]),
            )
            for (client, connection, pace), values in seen.items()
        ]

    def ticks(self, condition: str, *, hole_s: float = 0.0) -> Ticks:
        """Eight paths beside a busy process on each core."""
        with busy_cores(), self.at_work(self.paths(rate_hz=RATE_HZ)) as work:
            time.sleep(min(5.0, self.length.ticks_s / 3))
            before_mb = work.memory_mb()
            if hole_s:
                self.switch.outage(Outage("black hole", hole_s))
            time.sleep(self.length.ticks_s - hole_s)
            after_mb = work.memory_mb()
        return self._row(condition, work, memory=(before_mb, after_mb))

    def hour(self) -> Ticks:
        """An hour's samples in less; memory at most at any time after the first tenth."""
        with self.at_work(self.paths(rate_hz=RATE_HZ * FASTER)) as work:
            time.sleep(self.length.hour_s / 10)
            before_mb = most_mb = work.memory_mb()
            ends = time.monotonic() + 0.9 * self.length.hour_s
            while time.monotonic() < ends:
                time.sleep(1.0)
                most_mb = max(most_mb, work.memory_mb())
        condition = f"an hour's samples in {self.length.hour_s / 60:.0f} min, nothing else busy"
        return self._row(condition, work, memory=(before_mb, most_mb))

    def _row(self, condition: str, work: Work, *, memory: tuple[float, float]) -> Ticks:
        late = work.lateness_s(list(self.paths(rate_hz=RATE_HZ)))
        near = sum(one <= NEAR_S for one in late)
        return Ticks(
            **stamp(),
            condition=condition,
            policy=work.policy,
            ticks=str(len(late)),
            within_5_ms=f"{100 * near / len(late):.3f} %",
            p999_ms=f"{1000 * late[int(0.999 * (len(late) - 1))]:.2f}",
            max_ms=f"{1000 * late[-1]:.2f}",
            memory_mb=f"{memory[0]:.1f}",
            grew_mb=f"{memory[1] - memory[0]:.1f}",
        )


@contextlib.contextmanager
def busy_cores() -> Iterator[None]:
    """A process on each core that does nothing as fast as it can."""
    argv = [sys.executable, "-c", "while True: pass"]
    burners = [subprocess.Popen(argv) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()


def spelled(values: Sequence[float]) -> str:
    """Median, and least and most."""
    return f"{statistics.median(values):.3f} ({min(values):.3f} to {max(values):.3f})"


def _ratio(values: Sequence[float], ours: Sequence[float]) -> str:
    return f"{statistics.median(values) / statistics.median(ours):.1f}"


def rows(part: str, bench: Bench, *, beside: str) -> Iterator[Stamped]:
    """Each as soon as it is there."""
    if part == "cost":
        yield from bench.costs()
    elif part == "hour":
        yield bench.hour()
    else:
        condition = f"{os.cpu_count()} cores busy{beside}"
        yield bench.ticks(condition)
        hole_s = bench.length.hole_s
        yield bench.ticks(f"{condition}, no answer from any for {hole_s:.0f} s", hole_s=hole_s)


def options_read(words: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="cost", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []])
    parser.add_argument("--beside", default="", help="what else runs, e.g. 'the lab'")
    parser.add_argument("--quick", action="store_true", help="only to see that it works")
    parser.add_argument("--record", action="store_true", help="append to docs/evidence")
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> int:
    """The exit code says whether it could be measured, not how it was."""
    options = options_read(words)
    beside = f" beside {options.beside}" if options.beside else ""
    with tempfile.TemporaryDirectory() as folder:
        pki = certificates.written(Path(folder))
        with Switch(pki) as switch:
            bench = Bench(switch, pki, QUICK if options.quick else Length())
            for part in options.parts or PARTS:
                for row in rows(part, bench, beside=beside):
                    print(row.line(), end="", flush=True)
                    if options.record and not options.quick:
                        row_appended(EVIDENCE / TABLES[type(row)], row)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
