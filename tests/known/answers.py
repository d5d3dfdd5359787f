"""Outages of known length, and what the sampler and the judge say about them.

Several servers are broken at once, each in a namespace of its own, one outage after another at a
random phase of the sampler's ticks. A run's samples are judged once for each outage: the phase
`fault` is then the time around it.
"""

from __future__ import annotations

import contextlib
import math
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from quorate.harness.judge import judge
from quorate.harness.model.frame import CONTROLS, HYPOTHESIS, RUNTIME
from quorate.harness.model.timeline import Event, Timeline
from quorate.harness.model.verdict import ObjectiveResult
from quorate.harness.sampling.sampler import Sampler
from quorate.harness.store.experiment_file import parse_experiment
from quorate.harness.store.run_directory import RunDirectory
from tests.known.switch import Outage, Switch, Truth

RATE_HZ = 20.0
PERIOD_S = 1 / RATE_HZ
DEADLINE_S = 1.0
SHORTEST_S, LONGEST_S = 0.1, 30.0
GAP_S = 1.0
"""Between two outages: more than the three good samples that end one."""


@dataclass(frozen=True)
class Answer:
    """What was true of an outage, and what was printed about it, seconds."""

    truth: Truth
    value: float
    low: float
    high: float

    @classmethod
    def of(cls, truth: Truth, result: ObjectiveResult) -> Answer:
        """From the judge's answer, which must have a value."""
        assert result.value is not None
        assert result.low is not None
        return cls(
            truth, result.value, result.low, math.inf if result.high is None else result.high
        )

    @property
    def error_s(self) -> float:
        """How far the measured length lies from the true one."""
        return self.value - self.truth.length_s

    @property
    def inside(self) -> bool:
        """Whether the true length lies in the printed interval (as far as the truth is known)."""
        true = self.truth
        return self.low - true.blur_s <= true.length_s <= self.high + true.blur_s

    @property
    def allowed_s(self) -> float:
        """How large the error may be: a period, since an edge lies between two samples, and what a
        request took at the edge, which the printed range allows for as well. Of that no more than
        another period: a range can be right, wide, and say little.
        """
        printed_s = self.value - self.low if self.error_s > 0 else self.high - self.value
        return min(printed_s, 2 * PERIOD_S)

    @property
    def near(self) -> bool:
        """Whether the measured length is as near as that (as far as the truth is known)."""
        return abs(self.error_s) <= self.allowed_s + self.truth.blur_s


def spread(modes: Sequence[str], *, count: int, seed: str) -> list[Outage]:
    """As many of each mode; a length from each of ``count`` equal steps of a logarithmic scale."""
    rng = random.Random(seed)
    steps = [(number + rng.random()) / count for number in range(count)]
    rng.shuffle(steps)
    ratio = LONGEST_S / SHORTEST_S
    lengths = [SHORTEST_S * ratio**step for step in steps]
    return [Outage(modes[n % len(modes)], length_s) for n, length_s in enumerate(lengths)]


def shared_out(outages: Sequence[Outage], *, among: int) -> list[list[Outage]]:
    """Each to whoever has least to do so far, the longest first; the order is then shuffled."""
    shares: list[list[Outage]] = [[] for _ in range(among)]
    for outage in sorted(outages, key=lambda one: -one.length_s):
        min(shares, key=lambda share: sum(one.length_s + GAP_S for one in share)).append(outage)
    for share in shares:
        random.Random(len(share)).shuffle(share)
    return shares


def answered(shares: Sequence[Sequence[Outage]], *, certificates: Path, runs: Path) -> list[Answer]:
    """All shares at once, each by a server, a sampler and a run directory of its own."""
    with ThreadPoolExecutor(len(shares)) as pool:
        each = pool.map(lambda share: measured(share, certificates=certificates, runs=runs), shares)
        return [answer for answers in each for answer in answers]


def measured(outages: Sequence[Outage], *, certificates: Path, runs: Path) -> list[Answer]:
    """One server's outages, one after another."""
    rng = random.Random(repr(outages))
    with Switch(certificates) as switch, sampled(switch, runs=runs) as run:
        truths = []
        for outage in outages:
            time.sleep(GAP_S + rng.random() / RATE_HZ)
            truths.append(switch.outage(outage))
        time.sleep(GAP_S)
    timeline = run.timeline()
    return [judged(timeline, truth, base_s=run.base_ns / 1e9) for truth in truths]


@contextlib.contextmanager
def sampled(switch: Switch, *, runs: Path) -> Iterator[RunDirectory]:
    """The real sampler, asking the server."""
    run = new_run(runs)
    sampler = Sampler(run, {"api": switch.plan(rate_hz=RATE_HZ)})
    with switch.inside():
        sampler.start()
    try:
        yield run
    finally:
        sampler.stop()


def new_run(runs: Path) -> RunDirectory:
    """A run directory for the sampler to write into."""
    text = experiment_text()
    experiment = parse_experiment(text, file="known.yaml")
    return RunDirectory.create(runs, experiment=experiment, source=text, cluster_name="-", seed=0)


def outage_objective(indicator: str, *, deadline_s: float = DEADLINE_S) -> dict[str, Any]:
    """A bound that is there to have its number printed."""
    return {"indicator": indicator, "of": "api", "deadline_s": deadline_s, "at_most": 1000}


LONGEST = outage_objective("longest_outage_s")


def experiment_text(asked: Sequence[Mapping[str, Any]] = (LONGEST,)) -> str:
    """An experiment that breaks nothing and has these objectives."""
    watch = {"type": "python", "module": "quorate.faults", "func": "watch"}
    probe = {"probe": "api_quorum_read", "path": "vip", "connection": "new", "rate_hz": RATE_HZ}
    plan = {
        "name": "quorate",
        "format": 1,
        "probes": {"api": probe},
        "objectives": [dict(one) for one in asked],
    }
    document = {
        "title": "An outage of known length is measured as that long",
        "description": "A server is broken for a known time.",
        "controls": CONTROLS,
        "runtime": RUNTIME,
        "steady-state-hypothesis": HYPOTHESIS,
        "method": [{"name": "watch", "type": "action", "provider": watch}],
        "extensions": [plan | {"baseline_s": 30}],
    }
    return yaml.safe_dump(document, sort_keys=False)


def judged(timeline: Timeline, truth: Truth, *, base_s: float) -> Answer:
    """What the judge prints about one outage of a run."""
    (result,) = results(timeline, truth, base_s=base_s, asked=[LONGEST])
    return Answer.of(truth, result)


def results(
    timeline: Timeline, truth: Truth, *, base_s: float, asked: Sequence[Mapping[str, Any]]
) -> tuple[ObjectiveResult, ...]:
    """The judge's answers about the time around one outage."""
    since, until = truth.start - base_s - GAP_S / 2, truth.end - base_s + GAP_S / 2
    events = (
        Event(since, "watch_started"),
        Event(until, "watch_ended"),
        Event(until, "sampling_stopped"),
    )
    experiment = parse_experiment(experiment_text(asked), file="known.yaml")
    return judge(experiment, Timeline(timeline.run_id, events, timeline.series)).objectives
