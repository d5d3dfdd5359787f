"""`quorate` that is killed at a chosen line of its undo journal: dying.py WHEN N ARGUMENTS.

WHEN is `before` or `after` the N-th line (from 1) is written and synced. The process sends SIGKILL
to itself, so nothing of it runs on: no handler, no finally. The guardian is left to its own.
"""

from __future__ import annotations

import os
import signal
import sys

from quorate.harness.cli import main
from quorate.harness.undo.journal import UndoJournal

append = UndoJournal._append
written = 0


def dying(journal: UndoJournal, entry: dict[str, object]) -> None:
    """Write a line, and die where it was asked for."""
    global written
    written += 1
    if (when, number) == ("before", written):
        os.kill(os.getpid(), signal.SIGKILL)
    append(journal, entry)
    if (when, number) == ("after", written):
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    when, number = sys.argv[1], int(sys.argv[2])
    UndoJournal._append = dying  # type: ignore[method-assign, assignment]
    main(sys.argv[3:])
