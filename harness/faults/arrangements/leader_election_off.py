"""leader_election_off: every scheduler and controller manager works at once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.files import cover_argv
from quorate.harness.drivers.manifests import path_of, with_flag
from quorate.harness.drivers.processes import await_word_argv, words_argv
from quorate.harness.errors import RefusedError
from quorate.harness.faults.contract import Act, Arrangement, Plan, Proof
from quorate.harness.faults.covers.manifest import refuse_covered, uncover
from quorate.harness.model.cluster import HARNESS
from quorate.harness.model.undo import Undo

PARTS = ("kube-scheduler", "kube-controller-manager")
FLAG = "--leader-elect"
OFF = f"{FLAG}=false"
RESTARTED_S = 120.0
"""kubelet's next round, up to 20 s; the grace period of what ran, 30 s; what runs now, started."""


class LeaderElectionOff(Arrangement):
    """By their static pods' manifests: kubelet starts each with the other flag."""

    name: ClassVar[str] = "leader_election_off"
    summary: ClassVar[str] = "kube-scheduler and kube-controller-manager run without election."

    def prepare(self, drivers: Drivers) -> Mapping[str, str]:
        before = {}
        for node in (node.name for node in drivers.cluster.control_planes):
            for part in PARTS:
                before[f"{node} {part}"] = _worse(drivers, node, part)
        return before

    def undos(self, drivers: Drivers, *, plan: Plan) -> Sequence[Undo]:
        uncovered = [
            uncover(plan, node=node, path=path_of(part), what=part) for node, part in _planned(plan)
        ]
        # Carried out last: kubelet has noticed all of them meanwhile.
        restarted = [
            Undo(
                id=f"{plan.injection}:elects:{node}:{part}",
                injection=plan.injection,
                node=HARNESS,
                argv=("true",),
                confirm_node=node,
                confirm_argv=words_argv(part),
                confirm_expect=_elects(part),
                confirm_timeout_s=RESTARTED_S,
                text=f"wait until {part} on {node} runs with leader election again",
            )
            for node, part in _planned(plan)
        ]
        return [*restarted, *uncovered]

    def acts(self, drivers: Drivers, *, plan: Plan) -> Sequence[Act]:
        covers = [
            Act(
                node,
                cover_argv(path_of(part), plan.before[f"{node} {part}"], folder=plan.folder),
            )
            for node, part in _planned(plan)
        ]
        restarts = [
            Act(node, await_word_argv(part, OFF), timeout_s=RESTARTED_S)
            for node, part in _planned(plan)
        ]
        return [*covers, *restarts]

    def proof(self, drivers: Drivers, *, plan: Plan) -> Proof:
        for node, part in _planned(plan):
            words = drivers.processes.words(node, part)
            if OFF not in words:
                running = "runs without" if words else "does not run, not with"
                return Proof(False, f"{part} on {node} {running} {OFF}")
        nodes = ", ".join(dict.fromkeys(node for node, _ in _planned(plan)))
        return Proof(True, f"on {nodes}, /proc shows {' and '.join(PARTS)} with {OFF}")


def _planned(plan: Plan) -> Iterator[tuple[str, str]]:
    for key in plan.before:
        node, _, part = key.partition(" ")
        yield node, part


def _worse(drivers: Drivers, node: str, part: str) -> str:
    """The manifest that turns it off there; RefusedError where that cannot be."""
    path = path_of(part)
    if drivers.workloads.demand(node, part).how != "container":
        raise RefusedError(f"{part} on {node} is no static pod, so its flags stay as they are")
    refuse_covered(drivers, node=node, path=path)
    text = drivers.files.text(node, path)
    worse = with_flag(text or "", FLAG, "false")
    if worse == text or not worse:
        raise RefusedError(
            f"{path} on {node} does not say {FLAG}=true: write it there, it is the default"
        )
    return worse


def _elects(part: str) -> str:
    """What `words_argv` prints while the part runs, and no process of it without election."""
    return rf"\A(?=[\s\S]*^\S*{re.escape(part)}$)(?![\s\S]*^{re.escape(OFF)}$)"
