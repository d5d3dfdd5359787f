"""Sample files: one JSON line a sample, gathered for at most a tenth of a second."""

from __future__ import annotations

import json
import os

FLUSH_S = 0.1
"""How old a line may get before it is written; LiveView sees nothing younger."""

FLUSH_BYTES = 1 << 16
"""How much is gathered before it is written at once."""

_dumps = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


class SampleFile:
    """Appends samples to a file (0600); the owner flushes it every FLUSH_S.

    A write that fails raises OSError and ends the sampler: a sampler without a record is none,
    and what is missing counts as unknown.
    """

    def __init__(self, path: str) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        self._handle = os.open(path, flags, 0o600)
        self._lines = bytearray()

    def add(self, sample: dict[str, object]) -> None:
        """Takes one sample."""
        self._lines += _dumps(sample).encode() + b"\n"
        if len(self._lines) >= FLUSH_BYTES:
            self.flush()

    def flush(self) -> None:
        """Writes what was gathered, whole lines in as few writes as the kernel takes."""
        while self._lines:
            written = os.write(self._handle, self._lines)
            del self._lines[:written]

    def close(self) -> None:
        """Flushes and closes."""
        self.flush()
        os.close(self._handle)
