"""Whether this session may break a cluster, and which: nothing is broken that was not named."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

UNARMED = (
    "not armed: breaks a cluster, so name it: --quorate-cluster=FILE, $QUORATE_CLUSTER, or "
    "quorate_cluster in the ini-file"
)
UNDER_XDIST = (
    "quorate plays one experiment at a time on a cluster, and under pytest-xdist several processes "
    "would break it at once; run these tests without -n (-p no:xdist)"
)


@dataclass(frozen=True)
class Arming:
    """``cluster``: None where none is named. ``explicit``: for this session, by option or ini-file,
    not by an environment variable that may be there for other reasons."""

    cluster: Path | None
    runs: Path
    explicit: bool = False

    @property
    def reason(self) -> str:
        """Why experiments are skipped; empty where they are not."""
        return "" if self.cluster is not None else UNARMED


def of(config: pytest.Config) -> Arming:
    """What option, environment and ini-file say, the first that says something."""
    cluster = _from_option(config, "quorate_cluster")
    from_ini = _from_ini(config, "quorate_cluster")
    from_environment = _from_environment("QUORATE_CLUSTER")
    runs = (
        _from_option(config, "quorate_runs")
        or _from_environment("QUORATE_RUNS")
        or _from_ini(config, "quorate_runs")
        # Not the rootdir: pytest takes the value of an option that it does not know yet for a path
        # among which to look for it, and a cluster.yaml may lie anywhere.
        or config.invocation_params.dir / "runs"
    )
    # Whoever sets the variable means this run of a project; its ini-file means all of them.
    chosen = cluster or from_environment or from_ini
    return Arming(chosen, runs, explicit=chosen is not None and chosen in (cluster, from_ini))


def is_under_xdist(config: pytest.Config) -> bool:
    """Whether tests are dealt out to several processes, here or by the one that started us."""
    if os.environ.get("PYTEST_XDIST_WORKER") or config.getoption("numprocesses", None):
        return True
    return config.getoption("dist", "no") != "no" or bool(config.getoption("tx", None))


def refuse_at_start(config: pytest.Config) -> None:
    """pytest.UsageError where this session was armed on purpose and cannot be."""
    found = of(config)
    if found.cluster is None or not found.explicit:
        return
    if is_under_xdist(config):
        raise pytest.UsageError(UNDER_XDIST)
    if not found.cluster.is_file():
        raise pytest.UsageError(f"quorate: {found.cluster}: no such file; it is a cluster.yaml")


def _from_option(config: pytest.Config, name: str) -> Path | None:
    given = config.getoption(name, None)
    return config.invocation_params.dir / given if given else None


def _from_environment(name: str) -> Path | None:
    given = os.environ.get(name)
    return Path(given).absolute() if given else None


def _from_ini(config: pytest.Config, name: str) -> Path | None:
    given = str(config.getini(name))
    base = config.rootpath if config.inipath is None else config.inipath.parent
    return base / given if given else None
