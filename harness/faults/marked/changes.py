"""A marked change to an object of the API, and the way back from it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from quorate.harness.drivers.kube_api import ROLLED_OUT_S, UNMARKED, KubeCommands
from quorate.harness.faults.contract import Act, Plan
from quorate.harness.model.cluster import HARNESS
from quorate.harness.model.marks import LABEL
from quorate.harness.model.undo import Undo

GONE_S = 120.0
"""A namespace goes when its last pod has: grace period, and kubelet's and controllers' rounds."""

ANOTHERS = r'\A(?!"{}")'
"""What an object's label is when it is gone, or one that another run has made since."""


def change_back(
    commands: KubeCommands, path: str, body: Mapping[str, Any], *, plan: Plan, text: str
) -> Undo:
    """Merge `body` into the object at `path` and take the mark off, if it is there."""
    return Undo(
        id=f"{plan.injection}:{path.rpartition('/')[2]}",
        injection=plan.injection,
        node=HARNESS,
        argv=commands.unmark(path, body, mark=plan.unit),
        confirm_argv=commands.show_mark(path, mark=plan.unit),
        confirm_expect=UNMARKED,
        text=text,
    )


def namespace_gone(commands: KubeCommands, path: str, *, plan: Plan) -> Undo:
    """Delete a namespace that is ours altogether, and wait until it has ended."""
    name = path.rpartition("/")[2]
    return Undo(
        id=f"{plan.injection}:namespace",
        injection=plan.injection,
        node=HARNESS,
        argv=commands.delete_marked(path, mark=plan.unit),
        confirm_argv=commands.show(path, f"metadata.labels.{LABEL}"),
        confirm_expect=ANOTHERS.format(re.escape(plan.unit)),
        confirm_timeout_s=GONE_S,
        text=f"delete the namespace {name} and all that is in it",
    )


def roll_out(
    commands: KubeCommands, path: str, body: Mapping[str, Any], *, plan: Plan
) -> Sequence[Act]:
    """Merge `body` and the mark into a Deployment, and wait until its pods are like that."""
    return [
        Act(HARNESS, commands.mark(path, body, mark=plan.unit)),
        Act(HARNESS, commands.rolled_out(path), timeout_s=ROLLED_OUT_S + 10),
    ]
