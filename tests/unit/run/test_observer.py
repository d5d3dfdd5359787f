"""What the followers tell goes into the events at the time of its receipt."""

from __future__ import annotations

import queue
from typing import Any

import pytest

from quorate.harness.drivers.follower import Report, Sink
from quorate.harness.model.cluster import Cluster
from quorate.harness.run.components import Components
from quorate.harness.run.observer import Observer


class Directory:
    base_ns = 5_000_000_000

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []

    def append_event(self, kind: str, /, **data: Any) -> None:
        self.events.append((kind, data))


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("7 b2", {"term": 7, "leader": "b2"}),
        ("8 0", {"term": 8, "leader": ""}),
        ("unknown: TimeoutError", {"problem": "unknown: TimeoutError"}),
    ],
)
def test_a_term_is_kept_for_the_judge_and_no_component(
    cluster: Cluster, state: str, told: dict[str, object]
) -> None:
    sink: Sink = queue.SimpleQueue()
    directory: Any = Directory()
    observer = Observer(Components(cluster), directory=directory, sources=[], sink=sink)
    sink.put(Report(7_500_000_000, "cp1", "fact", component="raft_term", node="cp1", state=state))
    observer.poll()
    assert directory.events == [("raft_term", {"t": 2.5, "node": "cp1", **told})]


def test_who_announces_the_vip_is_kept_beside_who_has_it(cluster: Cluster) -> None:
    sink: Sink = queue.SimpleQueue()
    directory: Any = Directory()
    observer = Observer(Components(cluster), directory=directory, sources=[], sink=sink)
    mac = "02:00:0a:4d:00:0b"
    sink.put(Report(7_500_000_000, "cp1", "fact", component="garp", node="cp1", state=mac))
    observer.poll()
    assert directory.events == [("vip_announced", {"t": 2.5, "mac": mac, "heard_on": "cp1"})]
