"""A run whose method is somebody's own code: the block of a `with`, in a test.

It is the same run, opened, watched, journalled and judged as the engine's; only the steps are
called from here, since an engine cannot play what stands in a block. Its experiment is written down
like any other, so that `quorate judge` reads it again.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import yaml

from quorate.harness.errors import ProbeError
from quorate.harness.model.experiment import BASELINE_SAMPLES
from quorate.harness.run import live
from quorate.harness.run.new_experiment import new_experiment
from quorate.harness.run.outcome import Outcome
from quorate.harness.run.run import Run
from quorate.harness.store.run_directory import ExperimentSource

ENDED = "the block was ended by a signal"
SAMPLING = "node_power_off"
"""Whose example's frame an experiment without a fault is begun with."""

Document = dict[str, Any]


def injecting(
    fault: str,
    *,
    target: str,
    arguments: Mapping[str, object],
    at_most_s: float,
    plan: Mapping[str, object],
) -> Document:
    """An experiment that puts a fault on for a block of at most so many seconds.

    ``plan``: what is to stand in place of the example's own in our part of it (probes, objectives,
    given, …). UsageError for a fault that is not known.
    """
    document = _example(fault, title=f"{fault} on {target}, while a block of code ran", plan=plan)
    given = document["method"][0]["provider"]["arguments"]
    given |= {**arguments, "target": target, "at_most_s": at_most_s}
    document["method"][0]["name"] = "put it on; what is done meanwhile stands in a block of code"
    return document


def sampling(
    probes: Mapping[str, Mapping[str, object]], *, at_most_s: float, plan: Mapping[str, object]
) -> Document:
    """An experiment that breaks nothing and asks these probes during a block; MET: no outage."""
    rates_hz = [each.get("rate_hz") for each in probes.values()]
    rate_hz = sum(rate for rate in rates_hz if isinstance(rate, int | float))
    own: dict[str, object] = {
        "baseline_s": math.ceil(BASELINE_SAMPLES / rate_hz) + 1 if rate_hz > 0 else 15,
        "probes": {name: dict(each) for name, each in probes.items()},
        "objectives": [{"indicator": "outages", "of": name, "at_most": 0} for name in probes],
        "abort_when": None,
    }
    title = "No outage while a block of code ran"
    document = _example(SAMPLING, title=title, plan={**own, **plan})
    step = document["method"][1]
    step["name"] = "look on; what is done meanwhile stands in a block of code"
    step["provider"] |= {"func": "watch", "arguments": {"for_s": at_most_s}}
    document["method"] = [step]
    document["description"] = title
    return document


def _example(fault: str, *, title: str, plan: Mapping[str, object]) -> Document:
    document: Document = yaml.safe_load(new_experiment(fault))
    document["title"] = title
    ours = document["extensions"][0]
    ours |= plan
    if ours.get("abort_when", ...) is None:
        del ours["abort_when"]
    return document


class ByHand:
    """One run. ``injected``: what the fault's step told, once the block has begun. ``outcome``:
    once it is over, where a run was opened at all."""

    def __init__(self, options: live.Options) -> None:
        self.run: Run | None = None
        self.injected: Mapping[str, object] = {}
        self.outcome: Outcome | None = None
        self._options = options

    @contextlib.contextmanager
    def play(self, document: Document, *, name: str) -> Iterator[Run]:
        """Open the run, take the baseline, put the fault on if there is one, and let the block go.

        Afterwards: undo, until the cluster is whole, and the verdict; also where the block raises.
        Whatever ends it, nothing is left on when this is over, or the outcome's exit code is 4.
        ``name``: of the run, and of its section in objectives.yaml. Raises our own errors.
        """
        source = ExperimentSource.dump(document, file=name)
        live.prepare(replace(self._options, source=source))
        try:
            self.run = live.begin(document)
            self.run.baseline()
            yield from self._block(self.run, document["method"])
            self.run.finish()
        finally:
            self.outcome = live.end(ENDED)

    def _block(self, run: Run, method: list[dict[str, Any]]) -> Iterator[Run]:
        func, given = method[0]["provider"]["func"], method[0]["provider"]["arguments"]
        if func != "watch":
            self.injected = run.inject(func, given, watching=False)
        leave = partial(
            _leave,
            run,
            undos=[step["provider"]["arguments"] for step in method[1:]],
            began=run.directory.now(),
            at_most_s=float(given["for_s"] if func == "watch" else given["at_most_s"]),
        )
        try:
            with run.aside():
                yield run
        except (KeyboardInterrupt, SystemExit):
            run.interrupted(ENDED)
            raise
        except BaseException:  # a failed assertion, a skip: the record is whole all the same
            leave()
            raise
        leave()


def _leave(run: Run, *, undos: list[dict[str, Any]], began: float, at_most_s: float) -> None:
    if run.failure is not None:  # and what was on was taken off with it
        return
    lasted_s = run.directory.now() - began
    for arguments in undos:
        run.undo(**arguments)
    if lasted_s > at_most_s:
        run.failure = ProbeError(
            f"the block went on for {lasted_s:.0f} s, and at most {at_most_s:g} s were declared "
            "(at_most_s): what takes the fault off without us may have come first"
        )
