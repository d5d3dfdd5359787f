"""What a run is made of."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from quorate.harness.model.fingerprint import Fingerprint
from quorate.harness.run.forecast import Forecast
from quorate.harness.run.guard import Guard
from quorate.harness.run.injector import Injector
from quorate.harness.run.ledger import Ledger
from quorate.harness.run.observer import Observer
from quorate.harness.run.progress import Progress
from quorate.harness.run.sampling import Sampling
from quorate.harness.run.upgraded import Versions
from quorate.harness.run.watcher import Watcher
from quorate.harness.store.run_directory import RunDirectory


@dataclass(frozen=True)
class Workings:
    """Assembled in opening.py."""

    directory: RunDirectory
    observer: Observer
    watcher: Watcher
    injector: Injector
    guard: Guard
    sampling: Sampling
    forecast: Callable[[Collection[str]], Forecast]
    """Reads the configuration, and the pods on these nodes; raises nothing."""
    fingerprint: Callable[[], Fingerprint]
    """What the cluster runs now."""
    running: Callable[[str], tuple[str, ...]]
    """Label selector → the nodes that run such a pod now."""
    lease_node: Callable[[str], str | None]
    """Lease of kube-system → the node whose component holds it now."""
    ledger: Ledger
    open_ledger: Callable[[], None]
    """Makes the ledger's registers, their removal journalled before."""
    demand_rights: Callable[[], None]
    """Forbidden where the API does not let us do what the experiment needs."""
    claim: Callable[[float], None]
    """Makes the cluster this run's for so many seconds at most; RefusedError."""
    demand_lease: Callable[[bool], None]
    """RefusedError unless the cluster still is this run's. The argument: whether a fault of ours
    is on that may keep every API server from answering."""
    versions: Versions
    """What kubelets report; asked where somebody's own upgrade is awaited."""
    progress: Progress
    release: Callable[[], None]
    """Lets go of the lock and of connections; the last thing that happens."""
