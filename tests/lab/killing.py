"""Runs that are to be killed: where they are in their life, and who guards them."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.lab.conftest import Lab

FAMILIES = {
    "node": "node_power_off",
    "API server": "apiserver_pause",
    "etcd": "etcd_isolate",
    "VIP and load balancer": "haproxy_pause",
    "controllers": "scheduler_pause",
    "worker and pods": "worker_drain",
}
PLAYED = set(FAMILIES.values()) - {"scheduler_pause"}
"""Played to the end too, on what the shipped experiment means; the scheduler is one that does not
lead."""


@dataclass
class Live:
    """A run under way: its process, and its directory once there is one."""

    process: subprocess.Popen[bytes]
    runs: Path
    before: frozenset[Path]
    started: float = field(default_factory=time.monotonic)

    @classmethod
    def start(cls, lab: Lab, argv: Sequence[str]) -> Live:
        """Begin it, silently, in a session of its own."""
        before = frozenset(lab.runs.glob("*Z-*"))
        quiet = subprocess.DEVNULL
        process = subprocess.Popen(
            argv,
            env=lab.environment,
            stdin=quiet,
            stdout=quiet,
            stderr=quiet,
            start_new_session=True,
        )
        return cls(process, lab.runs, before)

    @property
    def directory(self) -> Path | None:
        """The run directory; None until it is made."""
        made = set(self.runs.glob("*Z-*")) - self.before
        return made.pop() if made else None

    def has_come_to(self, kind: str) -> bool:
        """Whether an event of that kind is written; the run must not have ended before."""
        assert self.process.poll() is None, f"the run ended before {kind}"
        return any(event["kind"] == kind for event in events_of(self.directory))

    @property
    def age_s(self) -> float:
        """Seconds since its start."""
        return time.monotonic() - self.started


def events_of(directory: Path | None) -> list[dict[str, Any]]:
    """Its events so far; a torn last line is none."""
    path = directory / "events.jsonl" if directory else None
    lines = path.read_text().splitlines() if path and path.exists() else []
    return [json.loads(line) for line in lines if line.endswith("}")]


def last_event(directory: Path | None) -> str:
    """The kind of the last thing that it wrote down."""
    events = events_of(directory)
    return str(events[-1]["kind"]) if events else "nothing yet"


def proved(directory: Path | None) -> bool:
    """Whether its fault was proved to bite."""
    return any(e["kind"] == "injection_proved" and e["data"]["ok"] for e in events_of(directory))


def guardian_of(directory: Path | None) -> int | None:
    """Process id of the guardian, found by what it guards: the run directory in its command."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if str(directory) in words and any("guardian" in word for word in words):
            return int(folder.name)
    return None
