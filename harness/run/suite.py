"""A suite: experiments to be played one after the other, each with the verdict it must come to."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from quorate.harness.errors import SpecError, StoreError
from quorate.harness.model.strict import Strict, checked
from quorate.harness.model.verdict import State
from quorate.harness.run.outcome import Outcome
from quorate.harness.store.yaml_lines import located, parse_yaml

UNDO_FAILED = 4

_Entries = Annotated[
    tuple[dict[str, Any], ...],
    BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value),
    Field(min_length=1),
]


class _SuiteFile(Strict):
    format: Literal[1]
    title: Annotated[str, Field(min_length=1)]
    experiments: _Entries


class _EntryFile(Strict):
    file: str
    expect: Literal["MET", "MISSED", "INCONCLUSIVE"]


@dataclass(frozen=True)
class Entry:
    """One experiment file (absolute) and the verdict that it must come to."""

    file: Path
    expect: State


@dataclass(frozen=True)
class Suite:
    """What a game-day plays."""

    name: str
    title: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Played:
    """One experiment of a game-day; `outcome` None: not played, since an undo had failed."""

    entry: Entry
    outcome: Outcome | None

    @property
    def as_expected(self) -> bool:
        """The verdict is the one that was expected, and nothing of ours is left on."""
        return (
            self.outcome is not None
            and self.outcome.exit_code != UNDO_FAILED
            and self.outcome.verdict is self.entry.expect
        )

    def to_dict(self) -> dict[str, object]:
        return {
            "experiment": str(self.entry.file),
            "expected": self.entry.expect.value,
            "as_expected": self.as_expected,
            "outcome": self.outcome.to_dict() if self.outcome else None,
        }


def read_suite(path: Path) -> Suite:
    """The suite in a file; paths in it count from its folder. SpecError names file and line."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        found = error.strerror or str(error)
        raise SpecError(path, field="", found=found, allowed="a suite file") from None
    document, lines = parse_yaml(text, file=path)
    with located(path, lines=lines):
        read = checked(document, model=_SuiteFile)
        entries = [
            checked(one, model=_EntryFile, prefix=("experiments", index))
            for index, one in enumerate(read.experiments)
        ]
        for index, one in enumerate(entries):
            if not (path.parent / one.file).is_file():
                raise SpecError(
                    None,
                    field=f"experiments[{index}].file",
                    found=f"{one.file!r}, no such file",
                    allowed="an experiment's path, from the suite's folder",
                )
    return Suite(
        path.stem,
        read.title,
        tuple(Entry((path.parent / one.file).resolve(), State(one.expect)) for one in entries),
    )


def play_suite(
    suite: Suite, *, play: Callable[[Path], Outcome], say: Callable[[str], None]
) -> list[Played]:
    """Every experiment in order; after an undo that failed, none is begun any more."""
    done: list[Played] = []
    for entry in suite.entries:
        if any(one.outcome and one.outcome.exit_code == UNDO_FAILED for one in done):
            done.append(Played(entry, None))
            continue
        say(f"=== {entry.file.name}, expected: {entry.expect.value}")
        played = Played(entry, play(entry.file))
        say(line_of_result(played))
        done.append(played)
    return done


def exit_code(played: list[Played]) -> int:
    """0: each as expected. 4: an undo failed. 1: a verdict differs. 3: one is not decided."""
    outcomes = [one.outcome for one in played if not one.as_expected]
    if not outcomes:
        return 0
    if any(one is not None and one.exit_code == UNDO_FAILED for one in outcomes):
        return UNDO_FAILED
    decided = (State.MET, State.MISSED)
    return 1 if any(one is not None and one.verdict in decided for one in outcomes) else 3


def line_of_result(one: Played) -> str:
    """One line of the summary."""
    mark = "as expected" if one.as_expected else "NOT AS EXPECTED"
    if one.outcome is None:
        return f"{one.entry.file.name}: not played ({mark}: {one.entry.expect.value})"
    verdict = one.outcome.verdict.value if one.outcome.verdict else "no verdict"
    text = f"{one.entry.file.name}: {verdict}, expected {one.entry.expect.value}: {mark}"
    if not one.as_expected and one.outcome.reason:
        text += f"\n  {one.outcome.reason}"
    return text + (f"\n  {one.outcome.directory}" if one.outcome.directory else "")


def write_summary(suite: Suite, played: list[Played], *, runs: Path) -> Path:
    """summary.json and summary.txt in a new folder below `runs`; returns it. StoreError."""
    now = datetime.now(UTC)
    folder = runs.absolute() / f"gameday-{now:%Y%m%dT%H%M%SZ}-{suite.name}-{secrets.token_hex(2)}"
    summary = {
        "format": 1,
        "suite": suite.name,
        "title": suite.title,
        "ended": now.isoformat(timespec="seconds"),
        "exit_code": exit_code(played),
        "experiments": [one.to_dict() for one in played],
    }
    try:
        folder.mkdir(parents=True, mode=0o700)
        (folder / "summary.json").write_text(json.dumps(summary, indent=2, sort_keys=True) + "\n")
        (folder / "summary.txt").write_text(summary_text(suite, played) + "\n")
    except OSError as error:
        raise StoreError(f"{folder}: cannot be written: {error}") from error
    return folder


def summary_text(suite: Suite, played: list[Played]) -> str:
    """What a person reads at the end of a game-day."""
    good = sum(one.as_expected for one in played)
    head = f"{suite.title}: {good} of {len(played)} as expected"
    return "\n".join([head, *(line_of_result(one) for one in played)])
