"""A worse configuration of a component on every load balancer, in effect until it is taken off."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.files import cover_argv, uncover_argv, uncovered_and
from quorate.harness.errors import RefusedError
from quorate.harness.faults.contract import Act, Arrangement, Plan, Proof
from quorate.harness.faults.covers.manifest import refuse_covered
from quorate.harness.faults.processes.parts import refuse_other_balancer
from quorate.harness.model.cluster import Role
from quorate.harness.model.undo import Undo

TEXT = "text:"
NORMAL = "normal:"


class Covered(Arrangement):
    """Subclasses say what is worse, and how the running process tells what it goes by."""

    unit: ClassVar[str]
    path: ClassVar[str]

    @abstractmethod
    def worse(self, drivers: Drivers, texts: Mapping[str, str]) -> Mapping[str, str]:
        """Node → configuration in health, to node → the worse one."""

    @abstractmethod
    def question(self, drivers: Drivers) -> Sequence[str]:
        """What makes the running process say by what it goes; run on its node."""

    @abstractmethod
    def normal(self, drivers: Drivers, node: str) -> str:
        """The pattern of its answer while nothing is worse. RefusedError where it is already."""

    @abstractmethod
    def in_effect(self, drivers: Drivers, *, plan: Plan, node: str) -> Proof:
        """One look at whether the process on the node goes by the worse one."""

    def prepare(self, drivers: Drivers) -> Mapping[str, str]:
        refuse_other_balancer(drivers.cluster, self.unit)
        nodes = [node.name for node in drivers.cluster.with_role(Role.LOAD_BALANCER)]
        if not nodes:
            raise RefusedError("cluster.yaml names no node with the role load-balancer")
        texts = {node: self._text(drivers, node) for node in nodes}
        worse = self.worse(drivers, texts)
        before = {}
        for node in (node for node in nodes if worse[node] != texts[node]):
            before[f"{TEXT}{node}"] = worse[node]
            before[f"{NORMAL}{node}"] = self.normal(drivers, node)
        if not before:
            raise RefusedError(f"{self.path} is like that already on {', '.join(nodes)}")
        return before

    def undos(self, drivers: Drivers, *, plan: Plan) -> Sequence[Undo]:
        return [
            Undo(
                id=f"{plan.injection}:{node}",
                injection=plan.injection,
                node=node,
                argv=uncover_argv(self.path, folder=plan.folder, tag=plan.word, unit=self.unit),
                confirm_argv=uncovered_and(self.path, self.question(drivers)),
                confirm_expect=plan.before[f"{NORMAL}{node}"],
                text=f"uncover {self.path} on {node}, and have {self.unit} read it",
            )
            for node in _nodes(plan)
        ]

    def acts(self, drivers: Drivers, *, plan: Plan) -> Sequence[Act]:
        return [
            Act(
                node,
                cover_argv(
                    self.path, plan.before[f"{TEXT}{node}"], folder=plan.folder, unit=self.unit
                ),
            )
            for node in _nodes(plan)
        ]

    def proof(self, drivers: Drivers, *, plan: Plan) -> Proof:
        seen = []
        for node in _nodes(plan):
            proof = self.in_effect(drivers, plan=plan, node=node)
            if not proof.ok:
                return proof
            seen.append(proof.evidence)
        return Proof(True, ", ".join(seen))

    def _text(self, drivers: Drivers, node: str) -> str:
        refuse_covered(drivers, node=node, path=self.path)
        text = drivers.files.text(node, self.path)
        if text is None:
            raise RefusedError(f"{node} has no {self.path} that could be made worse")
        if drivers.workloads.unit(node, self.unit) is None:
            raise RefusedError(
                f"{self.unit} on {node} is no active systemd unit, so it cannot be told to read "
                f"{self.path} again"
            )
        return text


def _nodes(plan: Plan) -> list[str]:
    return [key.removeprefix(TEXT) for key in plan.before if key.startswith(TEXT)]
