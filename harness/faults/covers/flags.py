"""Static pods of the control plane that run with other flags: kubelet starts each anew."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.files import cover_argv
from quorate.harness.drivers.manifests import path_of
from quorate.harness.drivers.processes import await_word_argv, words_argv
from quorate.harness.errors import RefusedError
from quorate.harness.faults.contract import Act, Arrangement, Plan, Proof
from quorate.harness.faults.covers.manifest import refuse_covered, uncover
from quorate.harness.model.cluster import HARNESS
from quorate.harness.model.undo import Undo

RESTARTED_S = 120.0
"""kubelet's next round, up to 20 s; the grace period of what ran, 30 s; what runs now, started."""


class OtherFlags(Arrangement):
    """On every control plane, by a manifest laid over the part's own.

    Subclasses say which parts, which word of the command line then shows it, and how.
    """

    parts: ClassVar[tuple[str, ...]]
    word: ClassVar[str]
    """A whole word of the command line that is there only while this is on."""

    @abstractmethod
    def changed(self, text: str) -> str:
        """The manifest with other flags; as it was where it cannot be changed."""

    @abstractmethod
    def refusal(self, path: str, node: str) -> str:
        """Why a manifest that `changed` leaves as it was cannot be used, and the way out."""

    def prepare(self, drivers: Drivers, *, arguments: Mapping[str, object]) -> Mapping[str, str]:
        before = {}
        for node in (node.name for node in drivers.cluster.control_planes):
            for part in self.parts:
                before[f"{node} {part}"] = self._manifest(drivers, node, part)
        return before

    def undos(self, drivers: Drivers, *, plan: Plan) -> Sequence[Undo]:
        uncovered = [
            uncover(plan, node=node, path=path_of(part), what=part) for node, part in planned(plan)
        ]
        # Carried out last: kubelet has noticed all of them meanwhile.
        restarted = [
            Undo(
                id=f"{plan.injection}:flags:{node}:{part}",
                injection=plan.injection,
                node=HARNESS,
                argv=("true",),
                confirm_node=node,
                confirm_argv=words_argv(part),
                confirm_expect=_runs_without(part, self.word),
                confirm_timeout_s=RESTARTED_S,
                text=f"wait until {part} on {node} runs without {self.word} again",
            )
            for node, part in planned(plan)
        ]
        return [*restarted, *uncovered]

    def acts(self, drivers: Drivers, *, plan: Plan) -> Sequence[Act]:
        covers = [
            Act(
                node,
                cover_argv(path_of(part), plan.before[f"{node} {part}"], folder=plan.folder),
            )
            for node, part in planned(plan)
        ]
        restarts = [
            Act(node, await_word_argv(part, self.word), timeout_s=RESTARTED_S)
            for node, part in planned(plan)
        ]
        return [*covers, *restarts]

    def proof(self, drivers: Drivers, *, plan: Plan) -> Proof:
        for node, part in planned(plan):
            words = drivers.processes.words(node, part)
            if self.word not in words:
                running = "runs without" if words else "does not run, not with"
                return Proof(False, f"{part} on {node} {running} {self.word}")
        nodes = ", ".join(dict.fromkeys(node for node, _ in planned(plan)))
        return Proof(True, f"on {nodes}, /proc shows {' and '.join(self.parts)} with {self.word}")

    def _manifest(self, drivers: Drivers, node: str, part: str) -> str:
        path = path_of(part)
        if drivers.workloads.demand(node, part).how != "container":
            raise RefusedError(f"{part} on {node} is no static pod, so its flags stay as they are")
        refuse_covered(drivers, node=node, path=path)
        text = drivers.files.text(node, path) or ""
        other = self.changed(text)
        if other == text:
            raise RefusedError(self.refusal(path, node))
        return other


def planned(plan: Plan) -> Iterator[tuple[str, str]]:
    """(node, part) of each manifest that is to be covered."""
    for key in plan.before:
        node, _, part = key.partition(" ")
        yield node, part


def _runs_without(part: str, word: str) -> str:
    """What `words_argv` prints while the part runs, and no process of it with this word."""
    return rf"\A(?=[\s\S]*^\S*{re.escape(part)}$)(?![\s\S]*^{re.escape(word)}$)"
