"""The state directory, and which cluster is meant when none is named."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from quorate.harness.cluster.file import read_cluster
from quorate.harness.cluster.namespace import is_network_namespace
from quorate.harness.errors import UsageError

STATE_VARIABLE = "QUORATE_STATE"
CLUSTER_VARIABLE = "QUORATE_CLUSTER"


def state_directory(environ: Mapping[str, str] = os.environ) -> Path:
    """``$QUORATE_STATE``, else ``$XDG_STATE_HOME/quorate``, else ``~/.local/state/quorate``.

    Absolute; not created. XDG_STATE_HOME must be absolute to count (XDG Base Directory 0.8).
    """
    if chosen := environ.get(STATE_VARIABLE):
        return Path(chosen).absolute()
    base = Path(environ.get("XDG_STATE_HOME", ""))
    if not base.is_absolute():
        base = Path(environ.get("HOME") or Path.home()) / ".local" / "state"
    return base / "quorate"


def find_cluster(named: Path | None = None, *, environ: Mapping[str, str] = os.environ) -> Path:
    """The cluster.yaml to use: the one named, else ``$QUORATE_CLUSTER``, else the running lab's.

    A lab is running when the network namespace in its cluster.yaml exists. Raises UsageError when
    that leaves none or more than one; SpecError if a lab's file cannot be read.
    """
    if named is not None:
        return named.absolute()
    if chosen := environ.get(CLUSTER_VARIABLE):
        return Path(chosen).absolute()
    labs = sorted(state_directory(environ).glob("labs/*/cluster.yaml"))
    running = [path for path in labs if _is_running(path)]
    if len(running) == 1:
        return running[0]
    choose = f"name one with --cluster FILE or ${CLUSTER_VARIABLE}"
    if running:
        names = ", ".join(path.parent.name for path in running)
        raise UsageError(f"several labs are running ({names}): {choose}")
    if labs:
        names = ", ".join(path.parent.name for path in labs)
        raise UsageError(f"no lab is running (stopped: {names}): `quorate lab start`, or {choose}")
    raise UsageError(f"no cluster: {choose}, or make one with `quorate lab up`")


def _is_running(path: Path) -> bool:
    namespace = read_cluster(path).network_namespace
    return namespace is not None and is_network_namespace(namespace)
