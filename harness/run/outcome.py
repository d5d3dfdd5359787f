"""What a run came to, for exit codes, journals and summaries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quorate.harness.errors import Interrupted, UndoFailed
from quorate.harness.model.verdict import State

EXIT_CODES = {State.MET: 0, State.MISSED: 1, State.INCONCLUSIVE: 3}
"""design.md, exit codes; 2 and 4 are errors of ours."""


@dataclass(frozen=True)
class Outcome:
    """`verdict` is None when nothing was judged; `reason` is for people, empty when all went well.

    `error` is the class name of what ended the run early, empty when nothing did.
    """

    exit_code: int
    verdict: State | None = None
    directory: Path | None = None
    reason: str = ""
    error: str = ""

    def to_dict(self) -> dict[str, object]:
        """What stands in the Chaos Toolkit journal and behind --json."""
        return {
            "exit_code": self.exit_code,
            "verdict": self.verdict.value if self.verdict else None,
            "run": str(self.directory) if self.directory else None,
            "reason": self.reason,
            "error": self.error,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Outcome:
        """The reverse of `to_dict`; KeyError or ValueError on anything else."""
        verdict, run = data["verdict"], data["run"]
        return cls(
            exit_code=int(data["exit_code"]),
            verdict=State(verdict) if verdict else None,
            directory=Path(run) if run else None,
            reason=str(data["reason"]),
            error=str(data["error"]),
        )


def exit_code_of(verdict: State, *, failure: BaseException | None, dirty: bool) -> int:
    """4 outranks all; an interrupted run answers nothing; else the verdict decides."""
    if dirty or isinstance(failure, UndoFailed):
        return UndoFailed.exit_code
    if isinstance(failure, Interrupted) or (failure is not None and verdict is State.MET):
        return EXIT_CODES[State.INCONCLUSIVE]
    return EXIT_CODES[verdict]
