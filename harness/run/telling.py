"""What `quorate run` says of its runs, for people and for machines, and its exit code."""

from __future__ import annotations

import json
from collections.abc import Sequence

from quorate.harness.errors import UndoFailed
from quorate.harness.model.repetition import Repetition
from quorate.harness.run.outcome import Outcome
from quorate.harness.run.repetition import Series
from quorate.harness.run.reporting import render
from quorate.harness.store.run_directory import RunDirectory

_RANK = (0, 3, 1, 2, 4)
"""Exit codes from harmless to grave: the worst of several runs is the command's."""


def told(outcome: Outcome) -> str:
    """The report of a run, or why there is none."""
    parts = []
    if outcome.directory is not None and outcome.verdict is not None:
        directory = RunDirectory.open(outcome.directory)
        parts.append(render(directory.verdict()))
    if outcome.reason:
        parts.append(f"ended early: {outcome.reason}")
    if outcome.exit_code == UndoFailed.exit_code:
        parts.append("AN UNDO FAILED: the cluster may still be faulted. Run `quorate undo`.")
    return "\n".join(parts)


def one(outcome: Outcome, *, as_json: bool) -> str:
    """The same for people or for machines."""
    if as_json:
        return json.dumps(_for_machines(outcome), indent=2, sort_keys=True)
    return told(outcome)


def exit_code_of_all(series: Sequence[Series]) -> int:
    """The worst of all runs, and of what ended a series early."""
    codes = [outcome.exit_code for one in series for outcome in one.outcomes]
    return max([*codes, *(one.ended_with for one in series)], key=_RANK.index)


def counted(series: Sequence[Series]) -> str:
    """How many runs came to what."""
    outcomes = [outcome for one in series for outcome in one.outcomes]
    words = [one.verdict.value if one.verdict else "none" for one in outcomes]
    each = ", ".join(f"{words.count(word)} {word}" for word in dict.fromkeys(words))
    return f"{len(outcomes)} runs: {each}"


def as_json(series: Sequence[Series], repetitions: Sequence[Repetition]) -> str:
    """The same as one document, each run with its whole verdict."""
    document: dict[str, object] = {
        "exit_code": exit_code_of_all(series),
        "runs": [_for_machines(outcome) for one in series for outcome in one.outcomes],
    }
    if repetitions:
        document["repetitions"] = [one.model_dump(mode="json") for one in repetitions]
    return json.dumps(document, indent=2, sort_keys=True)


def _for_machines(outcome: Outcome) -> dict[str, object]:
    """An outcome with its whole verdict."""
    data = outcome.to_dict()
    if outcome.directory is not None and outcome.verdict is not None:
        data["details"] = json.loads((outcome.directory / "verdict.json").read_text())
    return data
