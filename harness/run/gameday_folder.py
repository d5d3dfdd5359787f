"""A game-day on disk: ``runs/gameday-<when>-<suite>-…/``.

``summary.json`` is written anew after each experiment, so that a game-day that was killed can be
resumed; ``summary.txt`` is the same for people. Its keys stay: reports are made from it.

=====================  ==========================================================================
format                 1
suite, title, cluster  what was played, and where
state                  going, finished, stopped (not resumed) or interrupted; ``why`` says why
started, ended         wall clock; ``ended`` is null while it is going
resumed                when it was resumed, each time
exit_code              as of now; 3 while something is not played
budget_s, spent_s      seconds without service: the most that is allowed (null: any), so far
experiments            in the suite's order:
  experiment, name     the file (absolute), and its name without folder and suffix
  expected, verdict    MET, MISSED or INCONCLUSIVE; ``verdict`` is null where there is none
  as_expected          whether it came to that, data was safe, and nothing was left on
  run                  the run directory, relative to the folder of all runs; null without one
  started, duration_s  null where it was not played; ``not_played`` says why
  outage_s, unsafe     what it cost clients (null: not known); the checks of data safety missed
  content              digest of what it asked, bounds included
  before               whether it was played before the game-day was resumed
  outcome              exit code, verdict, run directory (absolute), reason, error
=====================  ==========================================================================
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from quorate.harness.errors import StoreError, UsageError
from quorate.harness.model.verdict import State
from quorate.harness.run.gameday import Gameday, Played, Seen, exit_code, summary_text
from quorate.harness.run.outcome import Outcome
from quorate.harness.run.suite import Entry, Suite
from quorate.harness.store.run_directory import replace_text

FORMAT = 1
SUMMARY = "summary.json"
UNFINISHED = ("going", "interrupted")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass
class GamedayFolder:
    """One game-day's; made by ``create`` or ``unfinished``."""

    path: Path
    cluster: str
    started: str
    resumed: list[str] = field(default_factory=list)
    before: tuple[Played, ...] = ()

    @classmethod
    def create(cls, runs: Path, *, suite: Suite, cluster: str) -> Self:
        """A new folder below ``runs``. StoreError."""
        now = datetime.now(UTC)
        name = f"gameday-{now:%Y%m%dT%H%M%SZ}-{suite.name}-{secrets.token_hex(2)}"
        path = runs.absolute() / name
        try:
            path.mkdir(parents=True, mode=0o700)
        except OSError as error:
            raise StoreError(f"{path}: cannot be made: {error}") from error
        return cls(path, cluster, now.isoformat(timespec="seconds"))

    @classmethod
    def unfinished(cls, runs: Path, *, suite: Suite, cluster: str) -> Self:
        """The newest of that suite that was killed or interrupted.

        UsageError where there is none, or it is of another cluster; StoreError where the newest of
        all cannot be read.
        """
        for path in sorted(runs.absolute().glob(f"gameday-*-{suite.name}-*"), reverse=True):
            if not (path / SUMMARY).exists():
                continue  # it was killed before it began
            summary = _read(path / SUMMARY)
            if summary["suite"] != suite.name or summary.get("state") not in UNFINISHED:
                continue
            if summary["cluster"] != cluster:
                raise UsageError(
                    f"{path}: is a game-day of cluster {summary['cluster']!r}, this is {cluster!r}"
                )
            return cls(
                path,
                cluster,
                str(summary["started"]),
                [*summary["resumed"], _now()],
                tuple(_played(one, file=path / SUMMARY) for one in summary["experiments"]),
            )
        raise UsageError(
            f"no game-day of {suite.name!r} in {runs} was interrupted: start one without --resume"
        )

    def keep(self, day: Gameday) -> None:
        """Write the summary as it is now. StoreError."""
        try:
            replace_text(self.path / SUMMARY, json.dumps(self._summary(day), **_LAYOUT) + "\n")
            replace_text(self.path / "summary.txt", summary_text(day) + "\n")
        except OSError as error:
            raise StoreError(f"{self.path}: cannot be written: {error}") from error

    def _summary(self, day: Gameday) -> dict[str, object]:
        going = day.state == "going"
        return {
            "format": FORMAT,
            "suite": day.suite.name,
            "title": day.suite.title,
            "cluster": self.cluster,
            "state": day.state,
            "why": day.why,
            "started": self.started,
            "ended": None if going else _now(),
            "resumed": self.resumed,
            "exit_code": 3 if going else exit_code(day.played, burnt=day.burnt),
            "budget_s": day.suite.budget_s,
            "spent_s": round(day.spent_s, 3),
            "experiments": [_row(one, runs=self.path.parent) for one in day.played],
        }


_LAYOUT: Mapping[str, Any] = {"indent": 2, "sort_keys": True, "ensure_ascii": False}


def _row(one: Played, *, runs: Path) -> dict[str, object]:
    outcome = one.outcome
    return {
        "experiment": str(one.entry.file),
        "name": one.entry.file.stem,
        "expected": one.entry.expect.value,
        "verdict": outcome.verdict.value if outcome and outcome.verdict else None,
        "as_expected": one.as_expected,
        "run": _run_of(outcome, runs=runs),
        "started": one.started or None,
        "duration_s": one.duration_s,
        "not_played": one.not_played,
        "outage_s": one.seen.outage_s if outcome else None,
        "unsafe": list(one.seen.unsafe),
        "content": one.content,
        "before": one.before,
        "outcome": outcome.to_dict() if outcome else None,
    }


def _run_of(outcome: Outcome | None, *, runs: Path) -> str | None:
    if outcome is None or outcome.directory is None:
        return None
    path = outcome.directory
    return str(path.relative_to(runs) if path.is_relative_to(runs) else path)


def _read(file: Path) -> Mapping[str, Any]:
    """A summary; StoreError where it is none of this quorate's."""
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        version = data["format"]
        if version != FORMAT:
            raise StoreError(f"{file}: format {version} is not this quorate's {FORMAT}")
        if "state" in data:
            _demand(data)
        return {"suite": data["suite"], **data}
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise StoreError(f"{file}: cannot be read: {type(error).__name__}: {error}") from None


def _demand(data: Mapping[str, Any]) -> None:
    """KeyError or TypeError where something is missing that a resumption needs."""
    for key in ("cluster", "started", "resumed", "experiments"):
        len(data[key])


def _played(row: Mapping[str, Any], *, file: Path) -> Played:
    try:
        return Played(
            Entry(Path(row["experiment"]), State(row["expected"])),
            Outcome.from_dict(row["outcome"]) if row["outcome"] else None,
            Seen(tuple(map(str, row["unsafe"])), row["outage_s"]),
            not_played=str(row["not_played"]),
            content=str(row["content"]),
            started=str(row["started"] or ""),
            duration_s=row["duration_s"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(f"{file}: cannot be read: {type(error).__name__}: {error}") from None
