"""Writing so that a power cut afterwards cannot take it back: file and directory are synced.

Errors of the operating system become StoreError here, naming the file.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from quorate.harness.errors import StoreError

Sync = Callable[[int], None]


@contextlib.contextmanager
def storing(path: Path) -> Iterator[None]:
    """Turn an OSError of the block into a StoreError that names ``path``."""
    try:
        yield
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror or error}") from error


def sync_directory(path: Path, *, sync: Sync = os.fsync) -> None:
    """Make the names in a directory durable; OSError where that fails."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        sync(descriptor)
    finally:
        os.close(descriptor)


def write_all(descriptor: int, data: bytes) -> None:
    """Write every byte; a disk that fills up half-way raises OSError."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def replace_text(path: Path, text: str, *, sync: Sync = os.fsync) -> None:
    """Create or replace a file (mode 0600) at once and durably. Raises StoreError."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    with storing(path):
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            write_all(descriptor, text.encode())
            sync(descriptor)
        finally:
            os.close(descriptor)
        draft.replace(path)
        sync_directory(path.parent, sync=sync)
