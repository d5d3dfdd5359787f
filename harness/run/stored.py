"""Run directories as evidence: what each of them tells of one experiment."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from quorate.harness.errors import QuorateError, StoreError
from quorate.harness.judge import judge
from quorate.harness.model.clearance import StoredRun, content_of
from quorate.harness.model.fingerprint import Fingerprint
from quorate.harness.model.verdict import State, Verdict
from quorate.harness.store.run_directory import ExperimentSource, RunDirectory
from quorate.reports.text import because

_NAMED = re.compile(r"\d{8}T\d{6}Z-(.+)-[0-9a-f]{4}")


def stored_runs(runs: Path, *, names: Collection[str], since: datetime) -> tuple[StoredRun, ...]:
    """Every run below ``runs`` of an experiment with one of these names, or with none.

    Runs that began before ``since`` are not opened any further: their age is all that matters.
    Never fails: what cannot be read says so itself.
    """
    found = (_stored(file.parent, names=names, since=since) for file in _files(runs))
    return tuple(one for one in found if one is not None)


def _files(runs: Path) -> Iterator[Path]:
    yield from sorted(runs.glob("*/run.json"))


def _stored(path: Path, *, names: Collection[str], since: datetime) -> StoredRun | None:
    try:
        directory = RunDirectory.open(path)
        name, cluster, started = _identity(directory)
    except StoreError as error:
        return _unreadable(path, problem=_line(error), names=names)
    if name and name not in names:
        return None
    bare = StoredRun(path.name, name, cluster=cluster, started=started)
    if started < since:
        return bare
    try:
        return _opened(directory, bare)
    except QuorateError as error:
        return StoredRun(path.name, name, problem=_line(error))


def _unreadable(path: Path, *, problem: str, names: Collection[str]) -> StoredRun | None:
    """By the name of its folder, which holds the experiment's."""
    match = _NAMED.fullmatch(path.name)
    name = match[1] if match else ""
    return StoredRun(path.name, name, problem=problem) if name in names else None


def _identity(directory: RunDirectory) -> tuple[str, str, datetime]:
    """The experiment's name, the cluster's, and when it began. StoreError."""
    file, data = directory.path / "run.json", directory.identity()
    try:
        started = datetime.fromisoformat(data["base"]["wall"])
        name = ExperimentSource("", str(data["experiment_file"])).name
        cluster = str(data["cluster"])
    except (ValueError, TypeError, KeyError) as error:
        raise StoreError(f"{file}: is damaged: {type(error).__name__}: {error}") from None
    if started.tzinfo is None:
        raise StoreError(f"{file}: base.wall has no time zone")
    return name, cluster, started.astimezone(UTC)


def _opened(directory: RunDirectory, bare: StoredRun) -> StoredRun:
    """With everything, judged again from its files: a verdict that was edited is none."""
    experiment, timeline = directory.experiment(), directory.timeline()
    closed = timeline.last("run_closed")
    assert bare.started is not None
    said: Verdict | None = None
    if closed is not None:
        said = judge(experiment, timeline)
        _refuse_another(directory, said.verdict)
    return StoredRun(
        bare.run,
        bare.name,
        cluster=bare.cluster,
        started=bare.started,
        ended=None if closed is None else bare.started + timedelta(seconds=closed.t),
        closed="" if closed is None else str(closed.data.get("reason") or "ended for no reason"),
        content=content_of(experiment),
        fingerprint=_fingerprint(directory),
        verdict=said.verdict if said else None,
        because=because(said) if said else "",
        unsafe=said.unsafe if said else (),
    )


def _refuse_another(directory: RunDirectory, again: State) -> None:
    stored = directory.verdict().verdict
    if stored is not again:
        raise StoreError(f"its verdict.json says {stored}, its files say {again}")


def _fingerprint(directory: RunDirectory) -> Fingerprint | None:
    try:
        return directory.fingerprint()
    except StoreError:
        return None


def _line(error: Exception) -> str:
    return str(error).splitlines()[0]
