"""`quorate undo`: settling the journals of runs whose harness and guardian are gone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from quorate.harness.cluster.file import read_cluster
from quorate.harness.cluster.lock import ClusterLock
from quorate.harness.cluster.namespace import enter_network_namespace
from quorate.harness.cluster.state import state_directory
from quorate.harness.errors import QuorateError, RefusedError
from quorate.harness.model.cluster import Cluster
from quorate.harness.run.lease import NAME, held_by_another
from quorate.harness.transport import Transport, for_cluster
from quorate.harness.undo.execute import execute_with
from quorate.harness.undo.in_flight import InFlight
from quorate.harness.undo.journal import JOURNAL_NAME, UndoJournal
from quorate.harness.undo.pending import PendingRuns
from quorate.harness.undo.settle import settle_run

Say = Callable[[str], None]


@dataclass(frozen=True)
class Undone:
    """What became of one run."""

    directory: Path
    exit_code: int
    text: str
    undone: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, object]:
        return {
            "run": str(self.directory),
            "exit_code": self.exit_code,
            "text": self.text,
            "undone": list(self.undone),
        }


def undo_runs(
    named: Sequence[Path], *, forget: bool, say: Say, cluster: Path | None = None
) -> list[Undone]:
    """Settle the runs named, or every run that is registered; the newest first.

    Each is tried, whatever became of the others. `cluster`: a cluster.yaml to reach the cluster
    by, in place of each run's copy, whose paths hold where the run was.
    """
    registry = PendingRuns(state_directory())
    directories = [path.absolute() for path in named] or list(reversed(registry.list()))
    done = []
    for directory in directories:
        say(f"{directory}:")
        try:
            if forget:
                undone = _forget(directory, registry)
            else:
                way = _way(directory, cluster, say=say)
                undone = _undo(directory, registry, cluster=way, say=say)
        except QuorateError as error:
            undone = Undone(directory, max(error.exit_code, 3), str(error))
        say(f"  {undone.text}")
        done.append(undone)
    return done


def _way(directory: Path, named: Path | None, *, say: Say) -> Cluster:
    """The cluster as it is reached from here. RefusedError where another one is named."""
    of_run = read_cluster(directory / "cluster.yaml")
    if named is None:
        if not of_run.kubeconfig.exists():
            say(
                f"  {of_run.kubeconfig} is not on this machine: --cluster FILE names a cluster.yaml"
                " of yours by which the same cluster is reached"
            )
        return of_run
    here = read_cluster(named)
    for what, ours, theirs in (
        ("name", here.name, of_run.name),
        ("nodes", sorted(n.name for n in here.nodes), sorted(n.name for n in of_run.nodes)),
    ):
        if ours != theirs:
            raise RefusedError(
                f"{named} is not the cluster of this run: its {what} {ours}, the run's {theirs}"
            )
    return here


def _undo(directory: Path, registry: PendingRuns, *, cluster: Cluster, say: Say) -> Undone:
    # Held by a run that is alive: its own undo comes first, and ours would cut into it.
    with ClusterLock(state_directory(), cluster.name):
        for undo in UndoJournal(directory / JOURNAL_NAME).pending():
            say(f"  to do: {undo.text}")
        enter_network_namespace(cluster)
        transport = for_cluster(cluster, in_flight=InFlight(directory))
        _refuse_beside_another(transport, directory)
        execute = execute_with(transport)
        settled = settle_run(directory, execute=execute, registry=registry)
    texts = tuple(undo.text for undo in settled)
    return Undone(directory, 0, f"undone: {len(texts)}" if texts else "nothing was left on", texts)


def _refuse_beside_another(transport: Transport, directory: Path) -> None:
    """RefusedError while a run of another machine has the cluster: an undo would cut into it."""
    if not UndoJournal(directory / JOURNAL_NAME).pending():
        return
    another = held_by_another(transport, state_dir=state_directory(), run_id=directory.name)
    if another:
        raise RefusedError(
            f"{another} (Lease kube-system/{NAME}), and this undo would cut into it: wait for its "
            "end, or let `quorate undo` take it back where it was started"
        )


def _forget(directory: Path, registry: PendingRuns) -> Undone:
    registry.remove(directory)
    return Undone(directory, 0, "struck off; nothing was undone")
