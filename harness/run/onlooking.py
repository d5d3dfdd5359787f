"""What clients see while somebody's own work is done to the cluster: a command, an upgrade.

The same run as any other, with nothing put on and nothing to be undone: baseline, samples and
events until the work is over and the cluster is whole, the verdict.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from quorate.harness.cluster.file import read_cluster
from quorate.harness.cluster.state import find_cluster
from quorate.harness.errors import UsageError
from quorate.harness.model.cluster import Cluster
from quorate.harness.model.each import EACH
from quorate.harness.model.verdict import State
from quorate.harness.run import by_hand, live, pace
from quorate.harness.run.outcome import EXIT_CODES, Outcome
from quorate.harness.run.run import Run
from quorate.harness.store.bounds_file import refuse_unused
from quorate.harness.store.run_directory import ExperimentSource
from quorate.reports.hostile import masked

ENDED = "the work was ended by a signal"
STOP_S = 60.0
"""How long a command that is told to end may take for it."""

OUTAGE_S, WEIGHTED_S, WATCH_S, SERVER_S = 5.0, 30.0, 15.0, 300.0
"""Bounds where none are given. 5 s: what losing the VIP's holder may cost (core); 30 s: a machine
after the other, each for some seconds of which a third of the requests feel something; 15 s: a
watch, whose client notices late; 300 s: one API server, which is away while it is renewed."""


class Work(Protocol):
    """What is done meanwhile. `stop` returns when it has ended; no `problem`: all is well."""

    title: str

    def start(self) -> None: ...

    def over(self) -> bool: ...

    def stop(self) -> None: ...

    @property
    def problem(self) -> str: ...


class Command:
    """A command of the user's own, beside the harness; it says what it says on their screen."""

    def __init__(self, argv: Sequence[str]) -> None:
        self._argv = list(argv)
        self._process: subprocess.Popen[bytes] | None = None
        self._told = False
        self.title = " ".join(masked(argv))[:60]

    def start(self) -> None:
        """UsageError where there is no such command."""
        try:
            self._process = subprocess.Popen(self._argv)
        except OSError as error:
            raise UsageError(f"{self._argv[0]}: {error.strerror}") from error

    def over(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def stop(self) -> None:
        """SIGTERM, and SIGKILL to one that does not heed it."""
        if self._process is None or self._process.poll() is not None:
            return
        self._told = True
        self._process.terminate()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    @property
    def problem(self) -> str:
        status = self._process.returncode if self._process is not None else None
        if self._told:
            return f"{self.title}: told to end, since it was not over in time"
        return f"{self.title}: ended with status {status}" if status else ""


class Nothing:
    """Nobody does anything: just look for a while."""

    title = "watching"
    problem = ""

    def start(self) -> None:
        return

    def over(self) -> bool:
        return False

    def stop(self) -> None:
        return


@dataclass(frozen=True)
class Look:
    """What is looked at, for how long at most (seconds)."""

    name: str
    title: str
    probes: Mapping[str, Mapping[str, object]]
    objectives: Sequence[Mapping[str, object]]
    at_most_s: float

    def document(self) -> by_hand.Document:
        """As an experiment."""
        plan = {"objectives": list(self.objectives)}
        document = by_hand.sampling(self.probes, at_most_s=self.at_most_s, plan=plan)
        document["title"] = document["description"] = self.title
        document["method"][0]["name"] = "look on, while somebody's own work is done"
        return document


def at_urls(urls: Sequence[str], *, at_most_s: float) -> Look:
    """Services of the user's own. UsageError comes later, from the reader, for a bad URL."""
    probes = {
        f"url{index}": {
            "probe": "url_reachability", "url": url, "connection": "new", "rate_hz": 20,
        }
        for index, url in enumerate(urls, start=1)
    }  # fmt: skip
    objectives = [bound for name in probes for bound in _bounds(name, OUTAGE_S)]
    return Look("watch", f"What clients of {', '.join(urls)} saw", probes, objectives, at_most_s)


def at_cluster(*, at_most_s: float) -> Look:
    """The API by the VIP, over new connections and one that is kept, a watch, each API server."""

    def read(path: str, connection: str, rate_hz: int) -> Mapping[str, object]:
        return {"probe": "api_quorum_read", "path": path, "connection": connection,
                "rate_hz": rate_hz}  # fmt: skip

    watch = {"probe": "api_watch", "path": "vip", "connection": "reused", "rate_hz": 5}
    probes = {
        "api": read("vip", "new", 20),
        "api_reused": read("vip", "reused", 10),
        "watch": watch,
        "server": read(EACH, "reused", 5),
    }
    objectives = [
        *_bounds("api", OUTAGE_S),
        *_bounds("api_reused", OUTAGE_S),
        {"indicator": "longest_outage_s", "of": "watch", "deadline_s": 5, "at_most": WATCH_S},
        _longest("server", SERVER_S),
        {"indicator": "not_whole_s", "at_most": at_most_s},
    ]
    return Look("watch", "What clients saw of the API", probes, objectives, at_most_s)


def _longest(name: str, at_most: float) -> dict[str, object]:
    return {"indicator": "longest_outage_s", "of": name, "deadline_s": 1, "at_most": at_most}


def _bounds(name: str, longest_s: float) -> list[dict[str, object]]:
    weighted = {"indicator": "weighted_outage_s", "of": name, "deadline_s": 1}
    return [_longest(name, longest_s), {**weighted, "at_most": WEIGHTED_S}]


def described(options: live.Options) -> Cluster:
    """The cluster that is looked at, from its file."""
    return read_cluster(find_cluster(options.cluster))


def look_on(
    document: by_hand.Document,
    work: Work,
    *,
    name: str,
    options: live.Options,
    after: Callable[[Run], object] = lambda run: None,
) -> Outcome:
    """Play an experiment of one step, a watch, while the work is done. What it came to is among the
    verdict's notes; a work that failed while clients were well answers nothing (exit code 3).
    `after`: what is asked when the work is over. Raises our own errors.
    """
    _, played = live.on_cluster(document, live.checked(document), cluster=options.cluster)
    refuse_unused(options.settings, played={name: played})
    source = ExperimentSource.dump(document, file=name)
    live.prepare(replace(options, source=source))
    outcome: Outcome | None = None
    try:
        run = live.begin(document)
        run.baseline()
        _meanwhile(run, work)
        after(run)
        run.finish()
    finally:
        outcome = live.end(ENDED)
    assert outcome is not None
    unanswered = EXIT_CODES[State.INCONCLUSIVE]
    if work.problem and not outcome.reason and outcome.exit_code in (0, unanswered):
        return replace(outcome, exit_code=unanswered, reason=work.problem)
    return outcome


def _meanwhile(run: Run, work: Work) -> None:
    given = run.request.experiment.method[0].arguments
    at_most_s = float(given["at_most_s"] if "at_most_s" in given else given["for_s"])
    try:
        run.directory.append_event("work_started", title=work.title)
        work.start()
        run.watch(for_s=at_most_s, over=work.over, what=work.title)
    finally:
        work.stop()
        run.directory.append_event("work_ended", title=work.title, problem=work.problem)
        live.note(work.problem or f"{work.title}: over, without a problem")
    if not isinstance(work, Nothing):
        run.watch_until("whole", at_most_s=pace.AFTER_WORK_S)
