"""`quorate gate`: the question put together from files and the live cluster. Injects nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from quorate.harness.cluster.file import read_cluster
from quorate.harness.cluster.state import find_cluster
from quorate.harness.errors import UsageError
from quorate.harness.judge.clearance import decide
from quorate.harness.model.clearance import Clearance, Question
from quorate.harness.model.cluster import Cluster
from quorate.harness.model.fingerprint import Fingerprint
from quorate.harness.model.verdict import State
from quorate.harness.run import live
from quorate.harness.run.asked import asked_of
from quorate.harness.run.fingerprint import read_fingerprint
from quorate.harness.run.stored import stored_runs
from quorate.harness.run.suite import Entry, Suite
from quorate.harness.undo.pending import PendingRuns

_AGE = re.compile(r"(\d+)([smhd])")
_UNITS_S = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def read_age(text: str) -> float:
    """Seconds of an age like 90m, 24h or 7d. UsageError."""
    match = _AGE.fullmatch(text.strip())
    if match is None or not int(match[1]):
        raise UsageError(
            f"--max-age: found {text!r}, allowed: a number and a unit, like 90m or 24h"
        )
    return int(match[1]) * _UNITS_S[match[2]]


@dataclass(frozen=True)
class Gate:
    """One suite, asked about on one cluster."""

    suite: Suite
    options: live.Options
    max_age_s: float
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def ask(self) -> Clearance:
        """The answer of the runs that are stored.

        SpecError and UsageError for mistakes in files; RefusedError and DriverError where the
        cluster cannot be asked at all.
        """
        asked = asked_of(self.suite, options=self.options)
        cluster = read_cluster(find_cluster(self.options.cluster))
        fingerprint = self._fingerprint(cluster)
        now = self.now()
        question = Question(
            suite=self.suite.name,
            cluster=cluster.name,
            asked=asked,
            fingerprint=fingerprint,
            max_age_s=self.max_age_s,
            now=now,
            pending=tuple(map(str, PendingRuns(self.options.parts.state_dir).list())),
        )
        since = now - timedelta(seconds=self.max_age_s)
        names = {one.name for one in asked}
        return decide(question, stored_runs(self.options.runs, names=names, since=since))

    def _fingerprint(self, cluster: Cluster) -> Fingerprint:
        """What it runs now; reading changes nothing."""
        parts = self.options.parts
        parts.enter(cluster)
        drivers = parts.connect(cluster)
        try:
            return read_fingerprint(drivers)
        finally:
            drivers.kube.close()


def missing_part(suite: Suite, clearance: Clearance) -> Suite:
    """What `--run` plays: the experiments without an answer. None where the answer is no already
    (more injections would not make it a yes), or where the cluster cannot be relied on."""
    entries: tuple[Entry, ...] = ()
    if not clearance.problems and clearance.state is State.INCONCLUSIVE:
        entries = tuple(suite.entries[place] for place in clearance.undecided)
    return replace(suite, entries=entries)
