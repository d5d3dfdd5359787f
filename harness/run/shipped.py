"""The experiments that come with quorate, by name: vip_drop_holder, controls/nothing_happens."""

from __future__ import annotations

from pathlib import Path

import quorate
from quorate.harness.errors import UsageError


def folder() -> Path:
    """Where they lie, also in an installed wheel."""
    return Path(quorate.__file__).parent / "experiments"


def names() -> tuple[str, ...]:
    """All of them, suites left out."""
    found = (path.relative_to(folder()) for path in folder().rglob("*.yaml"))
    return tuple(sorted(str(one.with_suffix("")) for one in found if one.parts[0] != "suites"))


def find(name: str) -> Path:
    """The experiment of that name; UsageError names those that there are."""
    if name not in names():
        told = ", ".join(names())
        raise UsageError(f"no experiment called {name!r} comes with quorate; there are {told}")
    return folder() / f"{name}.yaml"
