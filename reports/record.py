"""What a report is made of: a stored run, read and judged by others (harness/run/record.py).

Times in seconds since the run's base. Whatever is in here may have come from a cluster, or from a
file that was changed: it is hostile until a format has escaped it.
"""

from __future__ import annotations

import bisect
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import PurePath

from quorate.harness.errors import UndoFailed
from quorate.harness.model.experiment import Experiment
from quorate.harness.model.fingerprint import Fingerprint
from quorate.harness.model.timeline import Timeline
from quorate.harness.model.undo import Undo
from quorate.harness.model.verdict import State, Verdict
from quorate.reports.hostile import one_line

UNDO_FAILED = UndoFailed.exit_code
"""The exit code that outranks all: the cluster may still be faulted."""


@dataclass(frozen=True)
class Stretch:
    """A phase of the run, or the time for which a fault was on."""

    name: str
    start: float
    end: float


@dataclass(frozen=True)
class Outage:
    """A disruption as the judge cut it; ``censored``: it had not ended when the data ended."""

    start: float
    end: float
    censored: bool


@dataclass(frozen=True)
class Judged:
    """One probe's samples as the judge took them at one deadline: ``codes`` are OK, FAILED and
    UNKNOWN of model.timeline, one a tick, the first of which is tick ``first_k`` of the samples; a
    tick without a sample is UNKNOWN."""

    probe: str
    deadline_s: float
    first_due: float
    period_s: float
    codes: bytes
    first_k: int = 0
    outages: tuple[Outage, ...] = ()

    def due(self, tick: int, /) -> float:
        """When a tick was to be sent."""
        return self.first_due + tick * self.period_s


@dataclass(frozen=True)
class StoredUndo:
    """One undo of the journal, and whether it was carried out and confirmed."""

    undo: Undo
    settled: bool


@dataclass(frozen=True)
class RunRecord:
    """A run as it lies on disk.

    ``exit_code``: what the run ended with, as far as its files tell (design.md, exit codes).
    ``judged_now``: why ``verdict`` is not the stored one; empty where it is.
    ``ended``: how, in a word: completed, interrupted, refused, failed, or "not ended".
    ``why_ended``: what ended it early; empty where nothing did.
    ``source``: the experiment, verbatim.
    ``unreadable``: files that should be here and could not be read, with the reason.
    """

    name: str
    verdict: Verdict
    exit_code: int
    ended: str
    why_ended: str
    identity: Mapping[str, object]
    experiment: Experiment
    timeline: Timeline
    phases: tuple[Stretch, ...]
    judged: tuple[Judged, ...]
    undos: tuple[StoredUndo, ...] = ()
    fingerprint: Fingerprint | None = None
    judged_now: str = ""
    unreadable: tuple[str, ...] = ()
    faults: tuple[Stretch, ...] = ()
    source: str = ""

    @property
    def pending(self) -> tuple[StoredUndo, ...]:
        """What is still to be taken back."""
        return tuple(one for one in self.undos if not one.settled)

    @property
    def state(self) -> State:
        """The verdict, as far as the rest allows it: nothing that may still be faulted, or that
        did not end in order, is ever MET."""
        if self.verdict.verdict is State.MET and self.exit_code != 0:
            return State.INCONCLUSIVE
        return self.verdict.verdict

    @property
    def began(self) -> datetime | None:
        """The time of day of the base of all times; None where the run does not say it."""
        base = self.identity.get("base")
        wall = base.get("wall") if isinstance(base, Mapping) else None
        try:
            began = datetime.fromisoformat(str(wall))
        except ValueError:
            return None
        return began if began.tzinfo is not None else None

    def wall(self, t: float, /) -> datetime | None:
        """The time of day of ``t``."""
        return None if self.began is None else self.began + timedelta(seconds=t)

    @property
    def cluster(self) -> str:
        """The cluster's name; empty where it is not told."""
        return one_line(self.identity.get("cluster", ""))

    @property
    def experiment_name(self) -> str:
        """The name of the experiment's file; empty where it is not told."""
        return one_line(PurePath(str(self.identity.get("experiment_file", ""))).stem)

    @property
    def end(self) -> float:
        """The end of the data."""
        return max([self.timeline.end, *(stretch.end for stretch in self.phases)])

    def phase_of(self, t: float, /) -> str:
        """The phase that ``t`` lies in; empty before and after all of them."""
        starts = [stretch.start for stretch in self.phases]
        index = bisect.bisect_right(starts, t) - 1
        inside = index >= 0 and t < self.phases[index].end
        return self.phases[index].name if inside else ""
