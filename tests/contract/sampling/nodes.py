"""A node on this machine: the program that a node would run, over links that can be cut."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from quorate.harness.transport import CommandResult, LocalTransport, Stream
from quorate.harness.transport.stream import ChildStream
from tests.contract.sampling.held import processes

_SYSTEMCTL = """#!{python}
import os, pathlib, signal, sys, time
sys.path.insert(0, {root!r})
from tests.contract.sampling.held import processes
folder = pathlib.Path({folder!r})
if sys.argv[1] == "stop":
    for pid in processes(folder):
        os.kill(pid, signal.SIGTERM)
    while processes(folder):
        time.sleep(0.01)
else:
    print("active" if processes(folder) else "inactive")
"""


def until(is_so: Callable[[], object], *, at_most_s: float = 15.0) -> None:
    """Wait for it; AssertionError where it does not come."""
    give_up = time.monotonic() + at_most_s
    while not is_so():
        assert time.monotonic() < give_up, "it did not come"
        time.sleep(0.02)


class LocalNode:
    """A transport to one node. ``folder``: what its /run/quorate is."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.is_cut = False
        self.journal: list[str] = []
        self._streams: list[Stream] = []
        self._local = LocalTransport()
        self._bin = folder.parent / "bin"
        self._bin.mkdir()
        systemctl = self._bin / "systemctl"
        systemctl.write_text(
            _SYSTEMCTL.format(
                python=sys.executable,
                root=str(Path(__file__).parents[3]),
                folder=str(folder),
            )
        )
        systemctl.chmod(0o700)

    def run(
        self, node: str, argv: Sequence[str], *, timeout_s: float = 20.0, stdin: bytes = b""
    ) -> CommandResult:
        return self._local.run("harness", self._here(argv), timeout_s=timeout_s, stdin=stdin)

    def check(
        self, node: str, argv: Sequence[str], *, timeout_s: float = 20.0, stdin: bytes = b""
    ) -> CommandResult:
        return self.run(node, argv, timeout_s=timeout_s, stdin=stdin).checked()

    def stream(self, node: str, argv: Sequence[str], *, stdin: bytes = b"") -> Stream:
        words = ("false",) if self.is_cut else self._here(argv)
        stream = ChildStream(words, stdin=stdin)
        self._streams.append(stream)
        return stream

    def cut(self) -> None:
        """No link holds, and none can be made, until `mend`."""
        self.is_cut = True
        for stream in self._streams:
            assert isinstance(stream, ChildStream)
            if stream.poll() is None:
                os.killpg(stream._child.pid, signal.SIGKILL)

    def mend(self) -> None:
        self.is_cut = False

    def lose_power(self) -> None:
        """Nothing of /run and of its processes is left."""
        self.cut()
        for pid in processes(self.folder):
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.folder)

    def processes(self) -> list[int]:
        return processes(self.folder)

    def _here(self, argv: Sequence[str]) -> tuple[str, ...]:
        words = list(argv)
        if words[0] == "systemd-run":
            words = words[words.index("--") + 1 :]
        if words[0] == "python3":
            words[0] = sys.executable
        return ("env", f"PATH={self._bin}:{os.environ['PATH']}", *words)
