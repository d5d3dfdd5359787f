"""A harness for the SIGKILL tests: one fault (a file), taken step by step, in a real process.

    python harness_program.py RUN_DIR WORLD BOUNDARY

At BOUNDARY (see test_sigkill.py) it says so on stdout and waits to be killed. The fault is on while
files are in WORLD.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from quorate.harness.cluster.state import state_directory
from quorate.harness.model.cluster import HARNESS
from quorate.harness.model.undo import Undo
from quorate.harness.transport.local import LocalTransport
from quorate.harness.undo.execute import execute_with
from quorate.harness.undo.guardian import Guardian
from quorate.harness.undo.in_flight import InFlight
from quorate.harness.undo.injection import Injection
from quorate.harness.undo.journal import UndoJournal
from quorate.harness.undo.pending import PendingRuns
from quorate.harness.undo.settle import settle_run


class Boundary:
    """Waits for death at the one boundary that was asked for."""

    def __init__(self, chosen: str) -> None:
        self._chosen = chosen

    def at(self, name: str, text: str = "") -> None:
        if name == self._chosen:
            print(f"at {name} {text}", flush=True)
            signal.pause()


class Journal(UndoJournal):
    """Stops after an entry was acknowledged."""

    def __init__(self, path: Path, boundary: Boundary) -> None:
        super().__init__(path)
        self._boundary = boundary
        self._count = 0

    def record(self, undo: Undo) -> None:
        super().record(undo)
        self._count += 1
        self._boundary.at("first-journalled" if self._count == 1 else "both-journalled")


def undos(world: Path, *, pause_s: float) -> list[Undo]:
    """One undo a file; each takes a moment, as a power switch does."""
    return [
        Undo(
            id=name,
            injection="touch",
            node=HARNESS,
            argv=("sh", "-c", f'sleep {pause_s} && rm -f "$0"', str(world / name)),
            confirm_argv=("test", "!", "-e", str(world / name)),
            confirm_timeout_s=5,
            text=f"remove {name}",
        )
        for name in ("a", "b")
    ]


def main(run_dir: Path, world: Path, chosen: str) -> None:
    boundary = Boundary(chosen)
    transport = LocalTransport(in_flight=InFlight(run_dir))
    registry = PendingRuns(state_directory())
    registry.add(run_dir)
    boundary.at("registered", "-")
    guardian = Guardian().start(run_dir)
    boundary.at("guarded", str(guardian.pid))
    print(f"guardian {guardian.pid}", flush=True)

    injection = Injection(
        "touch",
        undos=undos(world, pause_s=1 if chosen == "undo-in-flight" else 0),
        journal=Journal(run_dir / "undo.jsonl", boundary),
    )

    def act() -> None:
        # A slow act: it says that it has begun, and bites only a moment after we were killed.
        script = (
            'touch "$0"; sleep 1; touch "$1"' if chosen == "act-in-flight" else 'touch "$0" "$1"'
        )
        transport.check(HARNESS, ["sh", "-c", script, str(world / "a"), str(world / "b")])

    injection.inject(act)
    boundary.at("active")
    execute = execute_with(transport)

    def stopping(undo: Undo) -> None:
        execute(undo)
        boundary.at("first-undone")

    settle_run(run_dir, execute=stopping, registry=registry)
    boundary.at("undone")
    guardian.release()
    print("released", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
