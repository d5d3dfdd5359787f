"""worker_drain: a node is cordoned and its pods are evicted, as before maintenance."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.drain import leaving, noticed_cordons, stuck
from quorate.harness.drivers.pods import (
    controller_of,
    is_finished,
    loses_data,
    name_of,
    uid_of,
)
from quorate.harness.errors import RefusedError
from quorate.harness.faults.contract import Act, Fault, Parameter, Plan, Proof
from quorate.harness.faults.marked.changes import change_back
from quorate.harness.model.cluster import HARNESS
from quorate.harness.model.marks import annotation
from quorate.harness.model.touch import Part, Touch, Way
from quorate.harness.model.undo import Undo

UNDRIVEN = "has not been evicted"
CORDONED = {"spec": {"unschedulable": True}}
ANSWER_S = 30.0
"""How much longer than its deadline a drain may take: its last round, and the list of what is
left, each asked of three API servers at most."""


INSIDE_S = 60.0


class WorkerDrain(Fault):
    """What it cost clients is the probes' to say; whether it ended in time, `time_to_drained_s`."""

    name: ClassVar[str] = "worker_drain"
    summary: ClassVar[str] = "A node is cordoned and its pods are evicted, as budgets allow."
    acts_by: ClassVar[str] = (
        "spec.unschedulable, then an Eviction (policy/v1) for each pod, tried again after a 429 "
        "until deadline_s; mirror pods and those of DaemonSets stay"
    )
    proved_by: ClassVar[str] = (
        "another look at the API: the node is cordoned, and each of its pods has gone, is ending, "
        "or is kept by a PodDisruptionBudget that is named; afterwards pods with other uids, or "
        "kubelet's own event NodeNotSchedulable"
    )
    undone_by: ClassVar[str] = (
        "spec.unschedulable and our mark (an annotation) taken away where the mark is; confirmed "
        "by reading the node"
    )
    without_harness: ClassVar[str] = (
        "the guardian; without it, the dead man's switch on a control plane that has kubectl and "
        "kubeadm's admin.conf; else `quorate undo` from any machine"
    )
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("deadline_s", float, 60.0, "seconds (above 0) after which evicting is given up"),
        Parameter(
            "lose_local_data", bool, False, "true: pods with an emptyDir volume are evicted too"
        ),
    )
    proof_timeout_s: ClassVar[float] = 5.0
    touches: ClassVar[Touch] = Touch(Part.PODS, Way.LEFT)

    def prepare(
        self, drivers: Drivers, *, nodes: Sequence[str], arguments: Mapping[str, object]
    ) -> Mapping[str, str]:
        before = {}
        for node in nodes:
            if _is_cordoned(drivers, node):
                raise RefusedError(
                    f"{node} is cordoned already, so its drain could not be taken back: "
                    f"kubectl uncordon {node}"
                )
            pods = leaving(drivers.api, node)
            _refuse_what_would_be_lost(pods, node=node, data=bool(arguments["lose_local_data"]))
            before[f"pods:{node}"] = json.dumps({uid_of(pod): name_of(pod) for pod in pods})
            before[f"cordons:{node}"] = str(noticed_cordons(drivers.api, node))
        by = drivers.kubectl.able(but=nodes)
        return {**before, **({"by": by} if by else {})}

    def undos(self, drivers: Drivers, *, plan: Plan) -> Sequence[Undo]:
        by = plan.before.get("by")
        # The first of them is carried out last: when all is well it finds nothing to do, and when
        # nobody is left, it is what the switch does.
        return [_from_inside(drivers, node, by=by, plan=plan) for node in plan.nodes if by] + [
            # The mark goes with the cordon; without it, a cordon is somebody else's.
            change_back(
                drivers.kube_commands,
                _path(node),
                {"spec": {"unschedulable": None}},
                plan=plan,
                text=f"uncordon {node}",
            )
            for node in plan.nodes
        ]

    def acts(self, drivers: Drivers, *, plan: Plan) -> Sequence[Act]:
        commands, seconds = drivers.kube_commands, float(str(plan.arguments["deadline_s"]))
        cordons = [
            Act(HARNESS, commands.mark(_path(node), CORDONED, mark=plan.unit, unless=CORDONED))
            for node in plan.nodes
        ]
        drains = [
            Act(HARNESS, commands.argv("drain", node, f"{seconds:g}"), timeout_s=seconds + ANSWER_S)
            for node in plan.nodes
        ]
        return [*cordons, *drains]

    def proof(self, drivers: Drivers, *, plan: Plan) -> Proof:
        seen: list[str] = []
        left: list[str] = []
        for node in plan.nodes:
            if not _is_cordoned(drivers, node):
                return Proof(False, f"{node} is not cordoned")
            keeping = stuck(drivers.api, node)
            idle = [text for text in keeping if UNDRIVEN in text]
            if idle:
                return Proof(False, f"{node} is cordoned, yet {'; '.join(idle)}")
            gone = _gone(drivers, node, plan=plan)
            left += keeping
            seen.append(f"{node} is cordoned, gone from it: {', '.join(gone) or 'no pod'}")
        facts = {"drained": not left, "left": left}
        return Proof(True, "; ".join([*seen, *left]), facts)

    def undone(self, drivers: Drivers, *, plan: Plan) -> Proof:
        seen = []
        for node in plan.nodes:
            if _is_cordoned(drivers, node):
                return Proof(False, f"{node} is still cordoned")
            gone = _gone(drivers, node, plan=plan)
            noticed = noticed_cordons(drivers.api, node) - int(plan.before[f"cordons:{node}"])
            if not gone and noticed < 1:
                return Proof(False, f"nothing shows that {node} ever was cordoned")
            had_been = f"{len(gone)} pod(s) have left it" if gone else "kubelet had noticed it"
            seen.append(f"{node} takes pods again; {had_been}")
        return Proof(True, ", ".join(seen))


def _from_inside(drivers: Drivers, node: str, *, by: str, plan: Plan) -> Undo:
    return Undo(
        id=f"{plan.injection}:{node}:inside",
        injection=plan.injection,
        node=by,
        argv=drivers.kubectl.uncordon_argv(node, by=by, mark=plan.unit),
        confirm_argv=drivers.kubectl.marks_argv(node, by=by),
        confirm_expect=rf'^(?!.*"{re.escape(annotation(plan.unit))}")',
        timeout_s=INSIDE_S,
        text=f"see from {by} that {node} is uncordoned",
    )


def _path(node: str) -> str:
    return f"/api/v1/nodes/{node}"


def _is_cordoned(drivers: Drivers, node: str) -> bool:
    found = drivers.api.get(_path(node))
    if found is None:
        raise RefusedError(f"the cluster has no node named {node}")
    return bool(found["spec"].get("unschedulable"))


def _gone(drivers: Drivers, node: str, *, plan: Plan) -> list[str]:
    """The names of the pods that were there before and are not any more (by uid)."""
    there = {uid_of(pod) for pod in leaving(drivers.api, node)}
    before: dict[str, str] = json.loads(plan.before[f"pods:{node}"])
    return [name for uid, name in before.items() if uid not in there]


def _refuse_what_would_be_lost(pods: Sequence[Mapping[str, Any]], *, node: str, data: bool) -> None:
    """An eviction cannot be taken back: only pods that somebody makes again may go."""
    if not pods:
        raise RefusedError(f"{node} runs no pod that a drain would move: nothing would be shown")
    alone = [name_of(pod) for pod in pods if not controller_of(pod) and not is_finished(pod)]
    if alone:
        raise RefusedError(
            f"{node} runs {', '.join(alone)}, which nothing makes again once evicted: move or "
            "delete it first, or choose another node"
        )
    losing = [name_of(pod) for pod in pods if loses_data(pod)]
    if losing and not data:
        raise RefusedError(
            f"{node} runs {', '.join(losing)} with an emptyDir volume, whose data an eviction "
            "loses: say lose_local_data: true if that is all right"
        )
