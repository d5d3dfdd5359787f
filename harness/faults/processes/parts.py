"""What such faults share: what ran before, whether it still does, and the way back as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from quorate.harness.drivers import haproxy, nginx
from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.processes import (
    NONE_STOPPED,
    Process,
    processes_of,
    resume_argv,
    state_of,
    stopped_argv,
    words_of,
)
from quorate.harness.drivers.systemd import is_active_argv, start_argv
from quorate.harness.errors import RefusedError
from quorate.harness.faults.contract import Plan
from quorate.harness.model.cluster import Cluster
from quorate.harness.model.undo import Undo

BALANCERS = (haproxy.UNIT, nginx.UNIT)

WITHOUT_HARNESS = "the guardian; without it, the dead man's switch on the node; a reboot"


def refuse_other_balancer(cluster: Cluster, part: str) -> None:
    """RefusedError where this cluster balances by another program than `part`."""
    if part in BALANCERS and part != cluster.balancer:
        raise RefusedError(
            f"this cluster balances by {cluster.balancer}, not by {part} (cluster.yaml: balancer): "
            f"choose what is made for {cluster.balancer}"
        )


def look(drivers: Drivers, *, nodes: Sequence[str], part: str) -> dict[str, str]:
    """What runs the component on each node. RefusedError where nothing does."""
    refuse_other_balancer(drivers.cluster, part)
    before: dict[str, str] = {}
    for node in nodes:
        found = drivers.workloads.demand(node, part)
        before[f"how:{node}"] = found.how
        before[f"id:{node}"] = found.identity
        before[f"processes:{node}"] = words_of(found.processes)
    return before


def processes_before(plan: Plan, node: str) -> tuple[Process, ...]:
    """The component's processes when the fault was planned, its first one first."""
    return processes_of(plan.before[f"processes:{node}"])


def is_unit(plan: Plan, node: str) -> bool:
    """Whether systemd runs the component there, not kubelet."""
    return plan.before[f"how:{node}"] == "unit"


def states(drivers: Drivers, *, plan: Plan, node: str) -> Mapping[Process, str | None]:
    """Each of these processes → its state's letter now; None when it has ended."""
    table = drivers.processes.table(node)
    return {one: state_of(table, one) for one in processes_before(plan, node)}


def resume(plan: Plan, node: str, *, part: str) -> Undo:
    """Let those processes go on that are stopped; also where a kill got no further than that."""
    processes = processes_before(plan, node)
    return Undo(
        id=f"{plan.injection}:resume:{node}",
        injection=plan.injection,
        node=node,
        argv=resume_argv(plan.word, processes),
        confirm_argv=stopped_argv(processes),
        confirm_expect=NONE_STOPPED,
        text=f"let {part} on {node} go on, where it is stopped",
    )


def start(plan: Plan, node: str, *, unit: str) -> Undo:
    """Start a unit that systemd may not start again by itself (Restart=no)."""
    return Undo(
        id=f"{plan.injection}:start:{node}",
        injection=plan.injection,
        node=node,
        argv=start_argv(unit),
        confirm_argv=is_active_argv(unit),
        confirm_expect="^active$",
        timeout_s=60.0,
        confirm_timeout_s=60.0,
        text=f"start {unit} on {node}",
    )


def in_its_place(
    drivers: Drivers, *, plan: Plan, node: str, part: str, must_run: bool = False
) -> str:
    """What runs the component on the node now, in words; "" where it is the same start as before,
    or nothing although it must.

    DriverError and TransportError when that cannot be asked.
    """
    now = drivers.workloads.find(node, part)
    if now is None and must_run:
        return ""
    if now is None:
        return f"nothing runs {part} on {node} yet"
    return "" if now.identity == plan.before[f"id:{node}"] else f"{now} runs on {node} instead"
