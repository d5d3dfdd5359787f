"""What a test gets: the verdict of a run, its numbers, and an assertion that says why not."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import ClassVar, NamedTuple

from quorate.harness.errors import QuorateError, StoreError, UndoFailed, UsageError
from quorate.harness.judge.evidence import Evidence
from quorate.harness.judge.intervals import Interval
from quorate.harness.model.bounds import matching
from quorate.harness.model.objectives import During
from quorate.harness.model.timeline import Timeline
from quorate.harness.model.verdict import ObjectiveResult, State, Verdict
from quorate.harness.run.outcome import Outcome
from quorate.harness.run.run import Run
from quorate.harness.store.run_directory import RunDirectory
from quorate.reports.failure import failure_text, printable
from quorate.reports.indicators import indicator_name, indicator_pairs


class NoAnswer(QuorateError):
    """The run answers nothing: INCONCLUSIVE, refused, interrupted, or an undo failed."""

    answers_nothing: ClassVar[bool] = True
    """By which the plugin knows it without importing this module."""

    def __init__(self, text: str, *, verdict: State | None = None) -> None:
        self.verdict = verdict
        super().__init__(text)


class Indicators(Mapping[str, ObjectiveResult]):
    """Results by the names of their bounds: `longest_outage_s`, or as much more of
    `longest_outage_s:api:fault:1s` as is needed to tell it from others."""

    def __init__(self, results: tuple[ObjectiveResult, ...]) -> None:
        self._results = {indicator_name(one): one for one in results}

    def __getitem__(self, name: str) -> ObjectiveResult:
        names = list(self._results)
        found = matching(name, names)
        if len(found) != 1:
            raise KeyError(f"{name!r} names {len(found)} of {', '.join(names)}")
        return self._results[names[found[0]]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._results)

    def __len__(self) -> int:
        return len(self._results)


class _Stored(NamedTuple):
    directory: RunDirectory
    verdict: Verdict


class Answer:
    """A run as a test sees it. What it says is there once the run is over, with the block."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.looked_at = False
        self._stored: _Stored | None = None

    def take(self, outcome: Outcome) -> None:
        """The run is over. NoAnswer where it says nothing."""
        __tracebackhide__ = True
        if outcome.directory is not None and outcome.verdict is not None:
            directory = RunDirectory.open(outcome.directory)
            self._stored = _Stored(directory, directory.verdict())
        if outcome.exit_code not in (0, 1):
            raise NoAnswer(self._no_answer(outcome), verdict=outcome.verdict)

    @property
    def verdict(self) -> State:
        """MET or MISSED."""
        self.looked_at = True
        return self._over.verdict.verdict

    @property
    def indicators(self) -> Indicators:
        """Each objective with the number that was found: value, low, high, bound, state, …"""
        self.looked_at = True
        return Indicators(self._over.verdict.objectives)

    @property
    def directory(self) -> Path:
        """The run's own."""
        return self._over.directory.path

    @property
    def details(self) -> Verdict:
        """The whole of verdict.json."""
        self.looked_at = True
        return self._over.verdict

    @property
    def timeline(self) -> Timeline:
        """Every event and sample."""
        self.looked_at = True
        return self._over.directory.timeline()

    def outages(
        self, probe: str, *, deadline_s: float | None = None, during: During = "fault"
    ) -> tuple[Interval, ...]:
        """When clients by that probe were out, in seconds of the run; its shortest judged deadline
        where none is given. The fault phase of a run without a fault is its block."""
        experiment = self._over.directory.experiment()
        if probe not in experiment.probes:
            raise UsageError(f"no probe {probe!r}; there are {', '.join(experiment.probes)}")
        evidence = Evidence.of(experiment, self.timeline)
        judged_at = experiment.deadlines_s(probe)[0] if deadline_s is None else deadline_s
        phase = evidence.phases.get(during)
        if phase is None:
            raise UsageError(f"the phase {during!r} did not take place")
        return tuple(evidence.seen(probe, deadline_s=judged_at, phase=phase).found)

    def assert_met(self) -> None:
        """AssertionError that says which objective, measured, bound, predicted, when, and where
        the rest lies, unless all are met."""
        __tracebackhide__ = True
        if self.verdict is not State.MET:
            raise AssertionError(self.text)

    @property
    def text(self) -> str:
        """Why it is not MET, for people."""
        directory, verdict = self._over
        return failure_text(verdict, directory=directory.path, began=_began(directory.path))

    def properties(self) -> Iterator[tuple[str, str]]:
        """For JUnit: the verdict, the run, and each indicator with its range, bound and state."""
        if self._stored is None:
            return
        directory, verdict = self._stored
        yield f"{self.name}/verdict", str(verdict.verdict)
        yield f"{self.name}/run", str(directory.path)
        for name, value in indicator_pairs(verdict):
            yield f"{self.name}/{name}", value

    @property
    def _over(self) -> _Stored:
        if self._stored is None:
            raise UsageError(f"{self.name}: the run is not over, or has no verdict")
        return self._stored

    def _no_answer(self, outcome: Outcome) -> str:
        parts = [f"{self.name}: no answer: {outcome.reason or 'INCONCLUSIVE'}"]
        if outcome.exit_code == UndoFailed.exit_code:
            parts.append("AN UNDO FAILED: the cluster may still be faulted. Run `quorate undo`.")
        return "\n".join([printable("\n".join(parts)), *([self.text] if self._stored else [])])


class Block(Answer):
    """A run whose method is the block of a `with`. Inside it ``nodes`` and ``proof`` tell what is
    on; afterwards it is an answer."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.nodes: tuple[str, ...] = ()
        self.proof = ""
        self._run: Run | None = None

    def begin(self, run: Run, injected: Mapping[str, object]) -> None:
        """The block begins."""
        self._run = run
        nodes = injected.get("nodes", ())
        self.nodes = tuple(map(str, nodes)) if isinstance(nodes, list) else ()
        self.proof = printable(str(injected.get("proof", "")))

    def end(self) -> None:
        """The block is over, however."""
        self._run = None

    def watch_until(self, until: str = "recovered", *, at_most_s: float = 60.0) -> bool:
        """Wait until clients have ``recovered`` or the cluster is ``whole``, the guard looking on;
        whether that came in time."""
        if until not in ("recovered", "whole"):
            raise UsageError(f"watch until {until!r}: recovered, or whole")
        return self._open.watch_until(until, at_most_s=at_most_s)

    def watch(self, for_s: float) -> None:
        """Wait so many seconds, the guard looking on."""
        self._open.watch(for_s=for_s)

    @property
    def _open(self) -> Run:
        if self._run is None:
            raise UsageError(f"{self.name}: the block is over")
        return self._run


def _began(directory: Path) -> datetime | None:
    try:
        stored = json.loads((directory / "run.json").read_text(encoding="utf-8"))
        return datetime.fromisoformat(stored["base"]["wall"])
    except (OSError, StoreError, ValueError, KeyError, TypeError):
        return None
