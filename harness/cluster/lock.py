"""One run at a time on a cluster: a flock in the state directory that says who holds it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from quorate.harness.errors import RefusedError, StoreError


class ClusterLock:
    """``<state_dir>/locks/<cluster>.lock``; the kernel frees it however its holder ends.

    The file holds the holder's process id and stays when the lock is free. A context manager.
    """

    def __init__(self, state_dir: Path, cluster_name: str) -> None:
        self.path = state_dir / "locks" / f"{cluster_name}.lock"
        self._cluster_name = cluster_name
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock, without waiting.

        Raises RefusedError naming the holder's pid, StoreError if the file cannot be made.
        """
        if self._descriptor is not None:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StoreError(f"{self.path}: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        except BlockingIOError:
            holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip()
            os.close(descriptor)
            raise RefusedError(
                f"cluster {self._cluster_name}: another run holds the lock "
                f"(process {holder or 'unknown'}): wait for it, or end it with SIGINT"
            ) from None
        except OSError as error:
            os.close(descriptor)
            raise StoreError(f"{self.path}: {error.strerror}") from error
        self._descriptor = descriptor

    def release(self) -> None:
        """Free the lock; may be called twice."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()
