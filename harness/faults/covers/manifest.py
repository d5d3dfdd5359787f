"""A static pod's manifest that is covered, and uncovered again."""

from __future__ import annotations

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.files import UNCOVERED, covered_argv, uncover_argv
from quorate.harness.errors import RefusedError
from quorate.harness.faults.contract import Plan
from quorate.harness.model.undo import Undo


def refuse_covered(drivers: Drivers, *, node: str, path: str) -> None:
    """RefusedError where something lies over the file already."""
    if drivers.files.is_covered(node, path):
        raise RefusedError(f"{node}: something lies over {path}; `quorate undo`")


def uncover(plan: Plan, *, node: str, path: str, what: str = "") -> Undo:
    """Take the cover off; who reads the file notices by itself. `what` tells several of a node
    apart."""
    return Undo(
        id=":".join(filter(None, (plan.injection, node, what))),
        injection=plan.injection,
        node=node,
        argv=uncover_argv(path, folder=plan.folder, tag=plan.word),
        confirm_argv=covered_argv(path),
        confirm_expect=UNCOVERED,
        text=f"uncover {path} on {node}",
    )
