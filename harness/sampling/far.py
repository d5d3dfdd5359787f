"""What samplers that are not beside us have in common: followed, stopped, and their clock told."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from quorate.harness.model.probe_plan import ProbePlan
from quorate.harness.model.timeline import control_of
from quorate.harness.model.undo import Undo
from quorate.harness.sampling.configuration import session_config, shown_config
from quorate.harness.sampling.feed import Feed, Link
from quorate.harness.sampling.report import SamplerReport
from quorate.harness.sampling.sampler import FIFO_PRIORITY, STOP_MARGIN_S
from quorate.harness.store.run_directory import RunDirectory

COLLECT_S = 30.0
"""How long one that cannot be reached is waited for at the end, beside what requests take."""


class FarSampler(ABC):
    """One sampler for all probes of one vantage. ``node``: the node's name."""

    def __init__(
        self, run: RunDirectory, probes: Mapping[str, ProbePlan], *, vantage: str, node: str
    ) -> None:
        """``vantage``: the experiment's word."""
        self.node = node
        self._run = run
        self._probes = dict(probes)
        self._vantage = vantage
        self._config: dict[str, Any] = {}
        names = [*self._probes, control_of(vantage)]
        self.feed = Feed(
            self._connect, files={f"{name}.jsonl": run.samples_file(name) for name in names}
        )

    @abstractmethod
    def look(self) -> None:
        """RefusedError, naming the node, where no sampler can run there; changes nothing."""

    def place(self, probes: Mapping[str, ProbePlan]) -> None:
        """Other plans for some of its probes; before `start`."""
        self._probes |= probes

    @abstractmethod
    def undos(self) -> tuple[Undo, ...]:
        """The ways back from all that it leaves. Journal them before `start`."""

    @abstractmethod
    def start(self, *, lasts_s: float) -> None:
        """Returns once the first tick of each probe was sent; ProbeError otherwise.

        ``lasts_s``: when it ends by itself, whatever became of us.
        """

    @abstractmethod
    def _connect(self) -> Link:
        """Start the feed there."""

    def heard(self) -> float:
        """Until when everything that it wrote is known here, seconds since the run's base."""
        return self.feed.heard - self._run.base_ns / 1e9

    @property
    def lost(self) -> str:
        """Why nothing more will come from there; empty while it may."""
        return self.feed.problem

    def stop(self) -> dict[str, object]:
        """Ends sampling and collects the rest; for sampler.json. Raises nothing for a node that is
        gone: the judge sees the missing samples."""
        longest_s = max((plan.hard_timeout_s for plan in self._probes.values()), default=0.0)
        self.feed.stop(timeout_s=longest_s + STOP_MARGIN_S + COLLECT_S)
        report = SamplerReport.of(self.feed.report, problem=self.feed.problem)
        clock = self._tell_clock(policy=report.policy, problem=report.problem)
        return {
            "node": self.node,
            "config": shown_config(self._config) if self._config else {},
            "clock": clock,
            "links_lost": self.feed.links_lost,
            **report.to_dict(),
        }

    def _tell_clock(self, **more: object) -> dict[str, object]:
        if self.feed.clock is None:
            return {}
        heard_ns = round(self.feed.heard * 1e9) or time.monotonic_ns()
        told = self.feed.clock.told(now_ns=heard_ns)
        self._run.append_event(
            "vantage_clock", vantage=self._vantage, node=self.node, **told, **more
        )
        return told

    def _configured(self, base_ns: int, *, lasts_s: float) -> dict[str, Any]:
        config = session_config(
            self._probes,
            base_ns=base_ns,
            fifo_priority=FIFO_PRIORITY,
            control=control_of(self._vantage),
            output=lambda name: f"{name}.jsonl",
        )
        return {**config, "lasts_s": lasts_s}
