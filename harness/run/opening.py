"""Steps 2 to 4 of a run: refuse what must not begin, enter the namespace, assemble the parts."""

from __future__ import annotations

import contextlib
import functools
import queue
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from quorate.harness.cluster.file import write_cluster
from quorate.harness.cluster.lock import ClusterLock
from quorate.harness.cluster.namespace import enter_network_namespace
from quorate.harness.cluster.state import state_directory
from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.follower import Sink, Source
from quorate.harness.drivers.kubeconfig import KubeCredentials
from quorate.harness.errors import RefusedError
from quorate.harness.model.cluster import Cluster
from quorate.harness.run.components import Components
from quorate.harness.run.durations import worst_case_s
from quorate.harness.run.fingerprint import read_fingerprint
from quorate.harness.run.forecast import Forecast
from quorate.harness.run.guard import Guard
from quorate.harness.run.injector import Injector, Safety
from quorate.harness.run.lease import ClusterLease
from quorate.harness.run.ledger import Ledger
from quorate.harness.run.observer import Observer, followed_namespaces, sources_of
from quorate.harness.run.places import read_places
from quorate.harness.run.progress import Progress
from quorate.harness.run.request import Request
from quorate.harness.run.rights import demand_rights
from quorate.harness.run.run import Run
from quorate.harness.run.sampling import Sampling
from quorate.harness.run.upgraded import Versions
from quorate.harness.run.vantages import Reach
from quorate.harness.run.watcher import Watcher
from quorate.harness.run.workings import Workings
from quorate.harness.store.run_directory import RunDirectory
from quorate.harness.transport import Transport, for_cluster
from quorate.harness.undo.guardian import Guardian
from quorate.harness.undo.in_flight import InFlight
from quorate.harness.undo.pending import PendingRuns


def _connect(cluster: Cluster) -> Drivers:
    return Drivers.connect(cluster, transport=for_cluster(cluster))


def _acting(cluster: Cluster, directory: Path) -> Transport:
    return for_cluster(cluster, in_flight=InFlight(directory))


Sources = Callable[[Drivers, Sink, Sequence[str]], Sequence[Source]]
"""Who reports, of pods in these namespaces."""


def _sources(drivers: Drivers, sink: Sink, namespaces: Sequence[str]) -> Sequence[Source]:
    return sources_of(drivers, transport=drivers.transport, sink=sink, namespaces=namespaces)


@dataclass(frozen=True)
class Parts:
    """Everything of a run that reaches out of this process; tests put others in their place."""

    state_dir: Path = field(default_factory=state_directory)
    enter: Callable[[Cluster], object] = enter_network_namespace
    connect: Callable[[Cluster], Drivers] = _connect
    acting: Callable[[Cluster, Path], Transport] = _acting
    sources: Sources = _sources
    sampling: Callable[..., Sampling] = Sampling
    guardian: Callable[[], Guardian] = Guardian


def open_run(request: Request, *, parts: Parts, progress: Progress) -> Run:
    """A run that is ready for `look_around`; the cluster was not asked anything yet.

    RefusedError while an undo is pending, another run holds the lock, or the lab is stopped.
    """
    with contextlib.ExitStack() as stack:
        # The lock first: a run that is alive is registered too, and is no reason for an undo.
        stack.enter_context(ClusterLock(parts.state_dir, request.cluster.name))
        refuse_while_pending(PendingRuns(parts.state_dir))
        parts.enter(request.cluster)
        drivers = parts.connect(request.cluster)
        stack.callback(drivers.kube.close)
        refuse_expiring(drivers.credentials, lasts_s=worst_case_s(request.experiment))
        return _assemble(request, drivers=drivers, parts=parts, progress=progress, stack=stack)


def refuse_expiring(credentials: KubeCredentials, *, lasts_s: float) -> None:
    """RefusedError where the credentials expire before the run may be over: what is asked after
    that would look like an outage, and what is to be undone through the API would not be."""
    end = credentials.expiry()
    if end is not None and end.at <= datetime.now(UTC) + timedelta(seconds=lasts_s):
        raise RefusedError(
            f"the kubeconfig's {end.of} is valid until {end.at:%Y-%m-%d %H:%M:%S} UTC, "
            f"and this run may last {lasts_s:.0f} s: renew it ({end.remedy})"
        )


def refuse_while_pending(registry: PendingRuns) -> None:
    """RefusedError naming every run that may have left something on."""
    pending = registry.list()
    if pending:
        runs = "\n  ".join(str(path) for path in pending)
        raise RefusedError(
            "an earlier run may have left something on the cluster: `quorate undo` takes it back\n"
            f"  {runs}"
        )


def _observer(
    request: Request,
    *,
    directory: RunDirectory,
    sources: Sources,
    drivers: Drivers,
) -> Observer:
    sink: Sink = queue.SimpleQueue()
    components = Components(request.cluster)
    found = sources(drivers, sink, followed_namespaces(request.experiment))
    return Observer(components, directory=directory, sources=found, sink=sink)


def _safety(parts: Parts, *, directory: RunDirectory, stack: contextlib.ExitStack) -> Safety:
    """With a guardian that is begun now, so that it stands by the time that it is needed."""
    guardian = parts.guardian()
    stack.callback(guardian.release)  # where the run armed nothing; else it is gone by then
    guardian.begin(directory.path)
    return Safety(PendingRuns(parts.state_dir), guardian)


def _assemble(
    request: Request,
    *,
    drivers: Drivers,
    parts: Parts,
    progress: Progress,
    stack: contextlib.ExitStack,
) -> Run:
    directory = RunDirectory.create(
        request.runs,
        experiment=request.experiment,
        source=request.source,
        cluster_name=request.cluster.name,
        seed=request.seed,
    )
    ledger = Ledger(directory, request=request, drivers=drivers)
    ledger.declare()
    write_cluster(request.cluster, directory.path / "cluster.yaml")
    progress.say(f"run {directory.path}")
    observer = _observer(request, directory=directory, sources=parts.sources, drivers=drivers)
    watcher = Watcher(request.experiment, observer=observer, clock=drivers.clock, progress=progress)
    acting = parts.acting(request.cluster, directory.path)
    injector = Injector(
        directory,
        drivers=drivers,
        acting=acting,
        watcher=watcher,
        safety=_safety(parts, directory=directory, stack=stack),
    )
    lease = ClusterLease(drivers, directory.path.name, parts.state_dir)
    workings = Workings(
        directory=directory,
        observer=observer,
        watcher=watcher,
        injector=injector,
        guard=Guard(
            request.experiment.abort_when,
            directory=directory,
            injector=injector,
            watcher=watcher,
            progress=progress,
        ),
        sampling=parts.sampling(
            directory,
            request=request,
            credentials=drivers.credentials,
            ledger=ledger,
            reach=Reach(
                acting,
                injector.hold,
                functools.partial(read_places, drivers.api),
                drivers.sampler_pods,
            ),
        ),
        forecast=lambda nodes: Forecast.read(drivers, nodes=nodes),
        fingerprint=functools.partial(read_fingerprint, drivers),
        running=drivers.kube.nodes_running,
        lease_node=drivers.leases.node,
        ledger=ledger,
        open_ledger=lambda: injector.hold(ledger.undo(), ledger.make),
        demand_rights=functools.partial(demand_rights, drivers, request.experiment),
        claim=lambda lasts_s: injector.hold(
            lease.undo(), functools.partial(lease.take, lasts_s=lasts_s)
        ),
        demand_lease=lambda may_be_down: lease.demand(api_may_be_down=may_be_down),
        versions=Versions(drivers, components=observer.components, experiment=request.experiment),
        progress=progress,
        release=stack.pop_all().close,
    )
    return Run(request, workings=workings)
