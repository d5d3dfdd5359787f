"""pod_kill: the processes of pods end from one moment to the next, with no time to say goodbye."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.pods import containers_of, controller_of, is_mirror, is_ready, name_of
from quorate.harness.drivers.processes import Process, signal_argv, tree, words_of
from quorate.harness.drivers.service import selected_path
from quorate.harness.errors import RefusedError
from quorate.harness.faults.contract import Act, Fault, Parameter, Plan, Proof
from quorate.harness.faults.processes import parts
from quorate.harness.model.cluster import HARNESS
from quorate.harness.model.service import NAMESPACE, SELECTOR
from quorate.harness.model.touch import Part, Touch, Way
from quorate.harness.model.undo import Undo

READY_AGAIN_S = 120.0
"""kubelet starts a container again at once, the second time after 10 s, then 20 s, …"""


class PodKill(Fault):
    """All ready pods of a selector on the target nodes. A DELETE, even without grace, leaves them
    about a second in which the cluster hears of it first: it would measure next to nothing."""

    name: ClassVar[str] = "pod_kill"
    summary: ClassVar[str] = "Every process of a selector's pods on a node is killed at once."
    acts_by: ClassVar[str] = "SIGKILL on the node, to processes each known by pid and start time"
    proved_by: ClassVar[str] = (
        "those processes have ended; afterwards as many pods are ready, in other containers"
    )
    undone_by: ClassVar[str] = (
        "nothing to take back: kubelet starts the containers again; confirmed when as many pods "
        "are ready as before"
    )
    without_harness: ClassVar[str] = (
        "nothing needed; the dead man's switch lets a process go on whose kill got no further "
        "than SIGSTOP"
    )
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("namespace", str, NAMESPACE, "the pods' namespace"),
        Parameter("selector", str, SELECTOR, "the pods' labels: key=value, joined by commas"),
    )

    def chosen(self, arguments: Mapping[str, object]) -> tuple[str, str]:
        """Namespace and selector of the pods."""
        return str(arguments["namespace"]), str(arguments["selector"])

    def touch(self, arguments: Mapping[str, object]) -> Touch:
        return Touch(Part.PODS, Way.ENDED, self.chosen(arguments))

    def prepare(
        self, drivers: Drivers, *, nodes: Sequence[str], arguments: Mapping[str, object]
    ) -> Mapping[str, str]:
        namespace, selector = self.chosen(arguments)
        ready = _ready(drivers, namespace, selector)
        before = {"ready": str(len(ready))}
        for node in nodes:
            pods = [pod for pod in ready if pod["spec"].get("nodeName") == node]
            if not pods:
                raise RefusedError(f"no pod of {selector} in {namespace} is ready on {node}")
            _refuse_what_would_not_return(pods)
            ids = [one for pod in pods for one in containers_of(pod)]
            before[f"pods:{node}"] = ", ".join(name_of(pod) for pod in pods)
            before[f"containers:{node}"] = " ".join(ids)
            before[f"processes:{node}"] = words_of(_processes(drivers, node, ids=ids))
        return before

    def undos(self, drivers: Drivers, *, plan: Plan) -> Sequence[Undo]:
        namespace, selector = self.chosen(plan.arguments)
        look = drivers.kube_commands.argv("ready", namespace, selector, plan.before["ready"])
        ready = Undo(
            id=f"{plan.injection}:ready",
            injection=plan.injection,
            node=HARNESS,
            argv=look,
            confirm_argv=look,
            confirm_expect=r"^ready$",
            confirm_timeout_s=READY_AGAIN_S,
            text=f"wait until {plan.before['ready']} pod(s) of {selector} are ready again",
        )
        return [ready, *(parts.resume(plan, node, part=selector) for node in plan.nodes)]

    def acts(self, drivers: Drivers, *, plan: Plan) -> Sequence[Act]:
        return [
            Act(node, signal_argv("KILL", parts.processes_before(plan, node)))
            for node in plan.nodes
        ]

    def proof(self, drivers: Drivers, *, plan: Plan) -> Proof:
        alive = _alive(drivers, plan=plan)
        if alive:
            return Proof(False, alive)
        killed = "; ".join(f"{plan.before[f'pods:{node}']} on {node}" for node in plan.nodes)
        return Proof(True, f"every process that was in {killed} has ended")

    def undone(self, drivers: Drivers, *, plan: Plan) -> Proof:
        alive = _alive(drivers, plan=plan)
        if alive:
            return Proof(False, f"never killed: {alive}")
        ready = _ready(drivers, *self.chosen(plan.arguments))
        now = {one for pod in ready for one in containers_of(pod)}
        before = {one for node in plan.nodes for one in plan.before[f"containers:{node}"].split()}
        if now & before:
            return Proof(False, "kubelet has not noticed yet: the same containers are still listed")
        wanted = plan.before["ready"]
        return Proof(len(ready) >= int(wanted), f"{len(ready)} of {wanted} pods ready, all anew")


def _alive(drivers: Drivers, *, plan: Plan) -> str:
    """A process that has not ended, in words; "" when all have."""
    for node in plan.nodes:
        for one, state in parts.states(drivers, plan=plan, node=node).items():
            if state is not None:
                return f"process {one.pid} on {node} has not ended"
    return ""


def _processes(drivers: Drivers, node: str, *, ids: Sequence[str]) -> list[Process]:
    """All processes of the containers with these ids."""
    running = {one.id: one.pid for one in drivers.containers.all_running(node)}
    table = drivers.processes.table(node)
    found = [one for id_ in ids if id_ in running for one in tree(table, running[id_])]
    if not found:
        raise RefusedError(
            f"{node} does not show the processes of its pods: ctr or crictl must be there, and the "
            "account that ssh uses must be root"
        )
    return found


def _refuse_what_would_not_return(pods: Sequence[Mapping[str, Any]]) -> None:
    for pod in pods:
        if is_mirror(pod):
            raise RefusedError(
                f"{name_of(pod)} is a static pod: apiserver_kill, etcd_kill and the like are for "
                "those"
            )
        never = pod["spec"].get("restartPolicy", "Always") != "Always"
        if never and controller_of(pod) is None:
            raise RefusedError(f"nothing would start {name_of(pod)} again")


def _ready(drivers: Drivers, namespace: str, selector: str) -> list[dict[str, Any]]:
    pods = drivers.api.items(selected_path(namespace, selector))
    return [pod for pod in pods if is_ready(pod)]
