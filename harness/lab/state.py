"""What a lab keeps on disk about itself, and the lock that lets one command at a time change it.

::

    <state>/labs/<name>/lab.json      size, versions, seed, shared layers, stage
    <state>/labs/<name>/nodes/…       one directory per machine
    <state>/labs/<name>/cluster.yaml  for the harness; kubeconfig and keys/ beside it
    /run/quorate/<name>/net, runc     namespaces and containers; gone after a reboot of the host
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from quorate.harness.cluster.state import state_directory
from quorate.harness.errors import LabError, RefusedError
from quorate.harness.lab.plan import LabPlan, NodePlan
from quorate.harness.lab.spec import LabSpec, Versions
from quorate.harness.undo.durable import replace_text

RUNTIME = Path("/run/quorate")

BUILDING = "building"
READY = "ready"


@dataclass(frozen=True)
class Lab:
    """A lab on disk.

    Attributes:
        lower: the shared directories under every node's own files, topmost first.
        bare: the same for machines without a kubelet; none where there is no such machine.
        store: the image store that nodes start with.
        fix_host: whether host limits may be raised while it runs.
        stage: ``building`` until the cluster stood once, then ``ready``.
    """

    plan: LabPlan
    lower: tuple[Path, ...]
    store: Path
    fix_host: bool
    stage: str
    bare: tuple[Path, ...] = ()

    def lower_of(self, node: NodePlan) -> tuple[Path, ...]:
        """What lies under one machine's own files."""
        return self.lower if node.has_kubelet else self.bare

    def save(self) -> None:
        """Write lab.json in one step; survives a crash of the host."""
        value = {
            "format": 1,
            "spec": dataclasses.asdict(self.plan.spec),
            "seed": self.plan.seed,
            "lower": [str(path) for path in self.lower],
            "bare": [str(path) for path in self.bare],
            "store": str(self.store),
            "fix_host": self.fix_host,
            "stage": self.stage,
        }
        self.plan.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_text(self.plan.home / "lab.json", json.dumps(value, indent=1))


def labs_directory() -> Path:
    return state_directory() / "labs"


def limits_record() -> Path:
    """Where the host's limits stand as they were before a lab raised them."""
    return state_directory() / "host-limits.json"


def plan_for(spec: LabSpec, seed: str) -> LabPlan:
    return LabPlan(spec, labs_directory() / spec.name, RUNTIME / spec.name, seed)


def names() -> list[str]:
    """Every lab on disk."""
    return sorted(path.parent.name for path in labs_directory().glob("*/lab.json"))


def load(name: str) -> Lab:
    """Read a lab from disk.

    Raises:
        LabError: there is none of this name, or its lab.json cannot be read.
    """
    path = labs_directory() / name / "lab.json"
    if not path.exists():
        known = ", ".join(names()) or "none"
        raise LabError(f"no lab {name!r} on disk (there: {known}); quorate lab up --name {name}")
    try:
        value = json.loads(path.read_text())
        spec = value["spec"]
        size = LabSpec(**{**spec, "versions": Versions(**spec["versions"])})
        lower, bare = (tuple(map(Path, value.get(key, ()))) for key in ("lower", "bare"))
        plan = plan_for(size, value["seed"])
        return Lab(plan, lower, Path(value["store"]), value["fix_host"], value["stage"], bare)
    except (ValueError, KeyError, TypeError) as error:
        raise LabError(
            f"{path} is not a lab's: {error!r}; quorate lab down --name {name}"
        ) from error


@contextlib.contextmanager
def exclusive(name: str) -> Iterator[None]:
    """Hold the lab against every other command that changes it.

    Raises:
        RefusedError: another process does; it is named.
    """
    path = labs_directory() / f"{name}.lock"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            raise RefusedError(
                f"lab {name!r} is being changed by process {holder}; wait for it or end it"
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
