"""A suite: experiments to be played one after the other, each with the verdict it must come to.

::

    format: 1
    title: Core
    budget_s: 60        # that experiments which are to be MET may cost clients in all; optional
    experiments:        # in the order in which they are played
      - {file: ../vip_drop_holder.yaml, expect: MET}
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from quorate.harness.errors import SpecError, UsageError
from quorate.harness.model.experiment import Experiment
from quorate.harness.model.strict import checked
from quorate.harness.model.suite_file import EntryFile, SuiteFile
from quorate.harness.model.verdict import State
from quorate.harness.store.yaml_lines import located, parse_yaml


@dataclass(frozen=True)
class Entry:
    """One experiment file (absolute) and the verdict that it must come to."""

    file: Path
    expect: State


@dataclass(frozen=True)
class Suite:
    """What a game-day plays. ``budget_s``: seconds without service that experiments which are to be
    MET may cost in all; None: any."""

    name: str
    title: str
    entries: tuple[Entry, ...]
    budget_s: float | None = None


def read_suite(path: Path) -> Suite:
    """The suite in a file; paths in it count from its folder. SpecError names file and line."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        found = error.strerror or str(error)
        raise SpecError(path, field="", found=found, allowed="a suite file") from None
    document, lines = parse_yaml(text, file=path)
    with located(path, lines=lines):
        read = checked(document, model=SuiteFile)
        entries = [
            checked(one, model=EntryFile, prefix=("experiments", index))
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
        budget_s=read.budget_s,
    )


def refuse_upgrades(suite: Suite, experiments: Sequence[Experiment]) -> None:
    """UsageError where one of a suite's experiments waits for an upgrade, which nobody does there.

    experiments: those of its entries, in their order.
    """
    for entry, experiment in zip(suite.entries, experiments, strict=True):
        if experiment.upgrade is not None:
            raise UsageError(
                f"suite {suite.name}: {entry.file.name} waits for an upgrade, which is somebody's "
                "own work: take it out; `quorate upgrade` plays it, or `quorate run` meanwhile"
            )
