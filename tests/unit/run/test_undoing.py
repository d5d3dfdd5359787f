"""`quorate undo` by a cluster.yaml of this machine, for a run directory that came from another."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from quorate.harness.cluster.file import write_cluster
from quorate.harness.cluster.state import STATE_VARIABLE
from quorate.harness.drivers.kube_api import KubeCommands
from quorate.harness.model.cluster import HARNESS, Cluster
from quorate.harness.model.undo import Undo
from quorate.harness.run import undoing
from quorate.harness.transport import MemoryTransport
from quorate.harness.undo.journal import JOURNAL_NAME, UndoJournal

ARGV = KubeCommands().patch("/api/v1/nodes/w1", {"spec": {"unschedulable": None}})


@pytest.fixture
def reached_by(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Cluster]:
    """The cluster.yaml that each settlement went by."""
    seen: list[Cluster] = []

    def for_cluster(cluster: Cluster, **_: Any) -> MemoryTransport:
        seen.append(cluster)
        return MemoryTransport()

    monkeypatch.setenv(STATE_VARIABLE, str(tmp_path / "state"))
    monkeypatch.setattr(undoing, "for_cluster", for_cluster)
    return seen


@pytest.fixture
def copied(tmp_path: Path, cluster: Cluster) -> Path:
    """A run directory that was made where /elsewhere/kubeconfig is."""
    run_dir = tmp_path / "20260101T120000Z-worker_drain-1a2b"
    run_dir.mkdir()
    there = cluster.model_copy(update={"kubeconfig": Path("/elsewhere/kubeconfig")})
    write_cluster(there, run_dir / "cluster.yaml")
    undo = Undo(id="d-1:w1", injection="d-1", node=HARNESS, argv=ARGV, text="uncordon w1")
    UndoJournal(run_dir / JOURNAL_NAME).record(undo)
    return run_dir


def undo(run_dir: Path, *, cluster: Path | None = None) -> tuple[undoing.Undone, Sequence[str]]:
    said: list[str] = []
    (done,) = undoing.undo_runs([run_dir], forget=False, say=said.append, cluster=cluster)
    return done, said


def test_a_copied_run_is_settled_by_the_cluster_yaml_that_is_named(
    copied: Path, cluster: Cluster, reached_by: list[Cluster], tmp_path: Path
) -> None:
    mine = tmp_path / "cluster.yaml"
    write_cluster(cluster, mine)
    done, _ = undo(copied, cluster=mine)
    assert (done.exit_code, done.undone) == (0, ("uncordon w1",))
    assert [one.kubeconfig for one in reached_by] == [tmp_path / "kubeconfig"]
    assert UndoJournal(copied / JOURNAL_NAME).read().clean


def test_without_it_the_run_s_own_is_tried_and_the_way_out_told(
    copied: Path, reached_by: list[Cluster]
) -> None:
    done, said = undo(copied)
    assert done.exit_code == 0
    assert [str(one.kubeconfig) for one in reached_by] == ["/elsewhere/kubeconfig"]
    assert any("/elsewhere/kubeconfig is not on this machine: --cluster" in text for text in said)


def test_another_cluster_is_refused(
    copied: Path, cluster: Cluster, reached_by: list[Cluster], tmp_path: Path
) -> None:
    mine = tmp_path / "cluster.yaml"
    for changed in ({"name": "other"}, {"nodes": cluster.nodes[:3]}):
        write_cluster(cluster.model_copy(update=changed), mine)
        done, _ = undo(copied, cluster=mine)
        assert done.exit_code == 3
        assert "is not the cluster of this run" in done.text
    assert reached_by == []
    assert not UndoJournal(copied / JOURNAL_NAME).read().clean


def test_nothing_is_undone_beside_a_run_of_another_machine(
    copied: Path, reached_by: list[Cluster], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(undoing, "held_by_another", lambda *_, **__: "ci-2/run-9 is running")
    done, _ = undo(copied)
    assert done.exit_code == 3
    assert "ci-2/run-9 is running" in done.text
    assert not UndoJournal(copied / JOURNAL_NAME).read().clean
