"""The registry of runs that may have left something on: one small file a run in the state dir."""

from __future__ import annotations

from pathlib import Path

from quorate.harness.undo.durable import replace_text, storing, sync_directory

_DIRECTORY = "pending"


class PendingRuns:
    """``<state_dir>/pending/<run-id>``, each a text file that holds the absolute run directory."""

    def __init__(self, state_dir: Path) -> None:
        self.directory = state_dir / _DIRECTORY

    def add(self, run_dir: Path) -> None:
        """Register a run, durably, before the first entry of its journal. Raises StoreError."""
        with storing(self.directory):
            if not self.directory.is_dir():
                self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
                sync_directory(self.directory.parent)
        replace_text(self._entry(run_dir), f"{run_dir.absolute()}\n")

    def remove(self, run_dir: Path) -> None:
        """Take a run off; nothing happens if it is not on. Raises StoreError."""
        entry = self._entry(run_dir)
        with storing(entry):
            try:
                entry.unlink()
            except FileNotFoundError:
                return
            sync_directory(self.directory)

    def list(self) -> tuple[Path, ...]:
        """The run directories registered, oldest run first; one may no longer exist."""
        if not self.directory.is_dir():
            return ()
        with storing(self.directory):
            entries = sorted(
                entry for entry in self.directory.iterdir() if not entry.name.startswith(".")
            )
            return tuple(Path(entry.read_text().strip()) for entry in entries)

    def _entry(self, run_dir: Path) -> Path:
        return self.directory / run_dir.absolute().name
