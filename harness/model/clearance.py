"""What `quorate gate` is asked and what it answers, as frozen values; no I/O.

Times are aware datetimes of the wall clock, ages in seconds.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from quorate.harness.model.experiment import Experiment
from quorate.harness.model.fingerprint import Fingerprint
from quorate.harness.model.verdict import State, merge

DECIDING = {
    "method",
    "given",
    "baseline_s",
    "probes",
    "objectives",
    "abort_when",
    "beyond_tolerance",
}
"""Fields of an experiment that its verdict comes from, its bounds included."""

Content = Mapping[str, object]


def content_of(experiment: Experiment) -> Content:
    """What decides an experiment's verdict, with the bounds that hold: not how it is called."""
    found: Content = experiment.model_dump(mode="json", include=DECIDING)
    return found


def digest_of(content: Content) -> str:
    """Two experiments with the same digest ask the same."""
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def age_text(seconds: float) -> str:
    """An age for people: "3 h 12 min"; of something to come, with a minus."""
    sign, minutes = ("-" if seconds < 0 else ""), int(abs(seconds) // 60)
    if minutes >= 48 * 60:
        return f"{sign}{minutes // (24 * 60)} d {minutes // 60 % 24} h"
    if minutes >= 60:
        return f"{sign}{minutes // 60} h {minutes % 60} min"
    return f"{sign}{minutes} min" if minutes else f"{sign}{abs(seconds):.0f} s"


@dataclass(frozen=True)
class Asked:
    """One experiment of the suite as it is now (its file's name), and what it must come to."""

    name: str
    expect: State
    content: Content


@dataclass(frozen=True)
class StoredRun:
    """A run as its directory tells it.

    ``ended``: None where it was never closed. ``closed``: how ("completed", "interrupted", …).
    ``verdict``: judged from its files; ``because``: the first thing that decided it. ``unsafe``:
    checks of data safety that were MISSED. ``problem``: why it cannot be read; then no more than
    its name is known.
    """

    run: str
    name: str
    cluster: str = ""
    started: datetime | None = None
    ended: datetime | None = None
    closed: str = ""
    content: Content | None = None
    fingerprint: Fingerprint | None = None
    verdict: State | None = None
    because: str = ""
    unsafe: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class Question:
    """May we? ``fingerprint``: what the cluster runs now. ``pending``: runs that may have left
    something on it."""

    suite: str
    cluster: str
    asked: tuple[Asked, ...]
    fingerprint: Fingerprint
    max_age_s: float
    now: datetime
    pending: tuple[str, ...] = ()


@dataclass(frozen=True)
class PassedOver:
    """A run that does not count, and why."""

    run: str
    reason: str


@dataclass(frozen=True)
class Standing:
    """What stored runs say of one experiment.

    ``state``: MET where it came out as expected, MISSED where an objective or data safety was
    missed, INCONCLUSIVE where nothing counts. ``run``: the one that decided. ``age_s`` since its
    start.
    """

    name: str
    expect: State
    state: State
    reason: str
    run: str | None = None
    verdict: State | None = None
    age_s: float | None = None
    passed_over: tuple[PassedOver, ...] = ()


@dataclass(frozen=True)
class Clearance:
    """The answer; ``problems`` are those of the whole, whatever single experiments say."""

    question: Question
    standings: tuple[Standing, ...]
    problems: tuple[str, ...] = ()

    @property
    def state(self) -> State:
        """MET means yes. MISSED outranks INCONCLUSIVE, and nothing at all is no yes."""
        states = [one.state for one in self.standings]
        return merge([*states, *(State.INCONCLUSIVE for _ in self.problems)])

    @property
    def undecided(self) -> tuple[int, ...]:
        """The places of the experiments that a new run could answer."""
        places = enumerate(self.standings)
        return tuple(place for place, one in places if one.state is State.INCONCLUSIVE)
