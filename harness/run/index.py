"""A game-day's folder → its index.html, with the runs that it names read from where they lie."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2

from quorate.harness.errors import QuorateError, StoreError
from quorate.harness.faults.catalogue import FAULTS, parameters_of
from quorate.harness.model.verdict import State
from quorate.harness.run.gameday_folder import FORMAT, SUMMARY
from quorate.harness.run.record import PAGE_NAME, read_record
from quorate.harness.store.run_directory import RunDirectory, replace_text
from quorate.reports.index import Claim, Entry, GameDay, KnownFault, render_index
from quorate.reports.record import RunRecord

INDEX_NAME = "index.html"


def write_index(folder: Path) -> Path:
    """Write index.html beside the summary.json of a game-day; returns it. StoreError."""
    index = folder / INDEX_NAME
    try:
        replace_text(index, render_index(read_day(folder)))
    except (OSError, jinja2.TemplateError) as error:
        raise StoreError(f"{index}: cannot be written: {error}") from error
    return index


def read_day(folder: Path) -> GameDay:
    """Everything about a game-day; StoreError where its summary is damaged, foreign or newer.

    A run that cannot be read is an entry that says so.
    """
    file = folder / SUMMARY
    try:
        summary = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StoreError(f"{file}: cannot be read: {error}") from None
    version = summary.get("format") if isinstance(summary, dict) else None
    if isinstance(version, int) and version > FORMAT:
        raise StoreError(f"{file}: format {version} is newer than this quorate's {FORMAT}")
    try:
        entries = tuple(_entry(folder, one) for one in summary["experiments"])
        return GameDay(
            name=folder.name,
            title=str(summary["title"]),
            ended=str(summary.get("ended") or ""),
            exit_code=int(summary["exit_code"]),
            entries=entries,
            known=tuple(_known()),
            note=_note(summary),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        what = f"{type(error).__name__}: {error}"
        raise StoreError(f"{file}: is no summary of a game-day, or damaged ({what})") from None


def _note(summary: Mapping[str, Any]) -> str:
    """What a reader must know besides: that it is not over, why it stopped, what it cost."""
    state, why = str(summary.get("state") or "finished"), str(summary.get("why") or "")
    told = [] if state == "finished" else [f"{state}: {why}" if why else state]
    if summary.get("budget_s") is not None:
        told.append(f"error budget: {summary.get('spent_s')} s of {summary['budget_s']} s spent")
    return "; ".join(told)


def _entry(folder: Path, one: Mapping[str, Any]) -> Entry:
    experiment, outcome = Path(str(one["experiment"])), one.get("outcome") or {}
    verdict = outcome.get("verdict")
    path = _moved(outcome.get("run"), folder=folder)
    run, problem = _read(path)
    stated = State(verdict) if verdict else None
    return Entry(
        name=experiment.stem,
        expected=State(one["expected"]),
        as_expected=bool(one["as_expected"]),
        state=run.state if run is not None else stated,
        exit_code=outcome.get("exit_code"),
        reason=_reason(one, outcome, problem=problem),
        run=run,
        link=_link(path, folder=folder),
        faults=tuple(_faults(run)) if run is not None else (),
        is_control=experiment.parent.name == "controls" or _is_worse(run),
    )


def _reason(one: Mapping[str, Any], outcome: Mapping[str, Any], *, problem: str) -> str:
    """Why there is no more to be told; what the run itself says where that is empty."""
    if outcome:
        return str(outcome.get("reason") or problem)
    why = one.get("not_played")
    return f"not played: {why}" if why else "not played"


def _moved(run: object, *, folder: Path) -> Path | None:
    """Where a run lies: as it was written down, or beside the folder that was copied with it."""
    if not isinstance(run, str):
        return None
    path = Path(run)
    beside = folder.parent / path.name
    return path if path.is_dir() or not beside.is_dir() else beside


def _read(path: Path | None) -> tuple[RunRecord | None, str]:
    if path is None:
        return None, ""
    try:
        return read_record(RunDirectory.open(path)), ""
    except QuorateError as error:
        return None, str(error)


def _link(path: Path | None, *, folder: Path) -> str:
    if path is None or not (path / PAGE_NAME).is_file():
        return ""
    relative = os.path.relpath(path / PAGE_NAME, folder.absolute())
    return quote(Path(relative).as_posix())


def _is_worse(run: RunRecord | None) -> bool:
    """Arrangements that make the cluster worse; what is only deployed to be watched does not."""
    return run is not None and any(one != "service_deployed" for one in run.verdict.arrangements)


def _faults(run: RunRecord) -> Iterator[tuple[str, Claim | None]]:
    """What was injected, in order. A fault of another version's catalogue is of no claim."""
    injected = len(run.timeline.of_kind("injection_started"))
    for step in run.experiment.faults[:injected]:
        yield step.func, _claim(step.func, arguments=step.arguments)


def _claim(name: str, *, arguments: Mapping[str, object]) -> Claim | None:
    if name not in FAULTS:
        return None
    defaults = {one.name: one.default for one in parameters_of(name) if one.default is not ...}
    try:
        touch = FAULTS[name].touch({**defaults, **arguments})
    except KeyError:  # an argument that no fault of this version takes
        return None
    return None if touch is None else (touch.part, touch.way)


def _known() -> Iterator[KnownFault]:
    for name in sorted(FAULTS):
        choices = [{one.name: word} for one in FAULTS[name].parameters for word in one.words]
        found = [_claim(name, arguments=chosen) for chosen in [{}, *choices]]
        claims = tuple(dict.fromkeys(one for one in found if one is not None))
        yield KnownFault(name, FAULTS[name].summary, claims)
