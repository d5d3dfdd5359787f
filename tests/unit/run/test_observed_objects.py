"""What followers report becomes events of the run, stamped at its receipt."""

from __future__ import annotations

import queue
from pathlib import Path
from typing import Any

from quorate.harness.drivers.follower import Sink
from quorate.harness.drivers.watched import Noticed, Thing
from quorate.harness.model.cluster import Cluster
from quorate.harness.model.timeline import Event
from quorate.harness.run.components import Components
from quorate.harness.run.observer import NAMESPACES, Observer, followed_namespaces, sources_of
from quorate.harness.run.play import read_experiment, read_source
from quorate.harness.store.run_directory import RunDirectory
from tests import paper_lab
from tests.memory_api import MemoryServer

CONTROLS = Path(__file__).parents[3] / "experiments" / "controls"

EXPERIMENT = Path(__file__).parents[3] / "experiments" / "pod_kill.yaml"


def run_directory(place: Path) -> RunDirectory:
    experiment = read_experiment(read_source(EXPERIMENT))
    text = EXPERIMENT.read_text(encoding="utf-8")
    return RunDirectory.create(
        place, experiment=experiment, source=text, cluster_name="lab", seed=1
    )


def test_a_sighting_is_written_once_with_what_is_not_known_of_it(
    cluster: Cluster, tmp_path: Path
) -> None:
    directory = run_directory(tmp_path)
    sink: Sink = queue.SimpleQueue()
    observer = Observer(Components(cluster), directory=directory, sources=(), sink=sink)
    pod = Thing("pod_seen", "u1", 7, {"uid": "u1", "ready": True})
    base = directory.base_ns
    sink.put(Noticed(base + 10**9, "pods", "cp1", "opened"))
    sink.put(Noticed(base + 3 * 10**9, "pods", "cp1", "changed", (pod,)))
    sink.put(Noticed(base + 3 * 10**9 + 5, "pods", "cp2", "changed", (pod,)))
    sink.put(Noticed(base + 5 * 10**9, "pods", "cp1", "lost", until_ns=base + 4 * 10**9))
    sink.put(Noticed(base + 9 * 10**9, "pods", "cp2", "listed", (), version=9))
    observer.poll()
    found = [one for one in directory.timeline().events if one.kind != "whole"]
    assert [one for one in found if one.kind in ("pod_seen", "watch_blind")] == [
        Event(3.0, "pod_seen", {"uid": "u1", "ready": True}),
        Event(5.0, "watch_blind", {"resource": "pods", "blind": True}),
        Event(9.0, "pod_seen", {"uid": "u1", "ready": True, "gone": True, "since": 4.0}),
    ]


def test_every_api_server_is_followed_for_every_resource() -> None:
    drivers = paper_lab.drivers(MemoryServer())
    kube: Any = drivers.kube
    kube.api_server = lambda node: None  # nothing is asked: no thread is started
    experiment = read_experiment(read_source(CONTROLS / "node_power_off_of_only_webhook.yaml"))
    followed = followed_namespaces(experiment)
    assert followed == (*NAMESPACES, "quorate-webhook"), "and whatever an objective is about"
    sources = sources_of(
        drivers, transport=drivers.transport, sink=queue.SimpleQueue(), namespaces=followed
    )
    names = {source.name for source in sources}
    for node in ("cp1", "cp2", "cp3"):
        assert f"nodes by {node}" in names
        assert {f"pods of {each} by {node}" for each in followed} <= names
        assert {f"endpoints of {each} by {node}" for each in followed} <= names
