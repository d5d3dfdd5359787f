"""The Lease: taken when nobody has it, refused while somebody may run, taken over after that."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from quorate.harness.drivers.kube import Answer
from quorate.harness.drivers.kube_api import KubeApi, KubeCommands
from quorate.harness.errors import NodeUnreachable, RefusedError
from quorate.harness.model.cluster import Cluster
from quorate.harness.run.lease import TIME, ClusterLease
from quorate.harness.transport import MemoryTransport, Reply

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


@dataclass
class Store:
    """An API server that keeps one Lease."""

    kept: dict[str, Any] | None = None
    asked: list[str] = field(default_factory=list)

    def close(self) -> None: ...

    def ask(self, method: str, path: str, *, body: bytes | None, content_type: str) -> Answer:
        self.asked.append(method)
        if method == "GET":
            return self._answer()
        given = json.loads(body or b"{}")
        if method == "POST" and self.kept is not None:
            return Answer(409, b"{}")
        if method == "PUT":
            assert self.kept is not None
            if given["metadata"]["resourceVersion"] != self.kept["metadata"]["resourceVersion"]:
                return Answer(409, b"{}")
        given["metadata"] |= {"uid": "u-1", "resourceVersion": str(len(self.asked))}
        self.kept = given
        return self._answer()

    def _answer(self) -> Answer:
        return Answer(404 if self.kept is None else 200, json.dumps(self.kept or {}).encode())


@dataclass
class Scene:
    store: Store
    transport: MemoryTransport
    cluster: Cluster
    folder: Path
    time: datetime = NOW

    def lease(self, run: str = "run-1", machine: str = "here") -> ClusterLease:
        servers: Any = lambda: [self.store]  # noqa: E731
        drivers: Any = SimpleNamespace(
            api=KubeApi(servers),
            kube_commands=KubeCommands(self.cluster),
            transport=self.transport,
            cluster=self.cluster,
        )
        return ClusterLease(drivers, run, self.folder / machine, wall=lambda: self.time)


@pytest.fixture
def scene(cluster: Cluster, tmp_path: Path) -> Scene:
    return Scene(Store(), MemoryTransport(), cluster, tmp_path)


def test_it_lasts_as_long_as_the_run_can_and_its_removal_names_it(scene: Scene) -> None:
    lease = scene.lease()
    lease.take(lasts_s=421.5)
    assert scene.store.kept is not None
    spec = scene.store.kept["spec"]
    assert spec["leaseDurationSeconds"] == 422
    assert spec["renewTime"] == NOW.strftime(TIME)
    assert spec["holderIdentity"].endswith("/run-1")
    undo = lease.undo()
    assert '{"preconditions":{"uid":"u-1"}}' in undo.argv
    assert undo.confirm_expect is not None
    assert re.search(undo.confirm_expect, "gone\n", re.MULTILINE)
    assert re.search(undo.confirm_expect, '"u-2"', re.MULTILINE)
    assert not re.search(undo.confirm_expect, '"u-1"\n', re.MULTILINE)


def test_another_machine_is_refused_until_it_has_expired(scene: Scene) -> None:
    scene.lease().take(lasts_s=300)
    other = scene.lease("run-2", machine="there")
    with pytest.raises(RefusedError, match=r"run-1 is running on this cluster until 12:05:00"):
        other.take(lasts_s=60)
    assert scene.store.kept is not None
    scene.time = NOW + timedelta(seconds=301)
    other.take(lasts_s=60)
    assert scene.store.kept["spec"]["holderIdentity"].endswith("/run-2")


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("quorate-120000-0a79-etcd-pause-1-1.timer loaded active waiting", "etcd-pause-1-1.timer"),
        ("table inet quorate_120000_0a79_node_isolate_1", "node_isolate_1"),
        ("/run/quorate/120000-0a79-apiserver-stop-1", "apiserver-stop-1"),
    ],
)
def test_an_expired_one_is_not_taken_over_while_a_node_is_marked(
    scene: Scene, said: str, why: str
) -> None:
    scene.lease().take(lasts_s=1)
    scene.time = NOW + timedelta(hours=1)
    scene.transport.on("sh", reply=Reply(said + "\n"), node="cp2")
    with pytest.raises(RefusedError, match=f"(?s)cp2: .*{why}.*quorate undo"):
        scene.lease("run-2", machine="there").take(lasts_s=60)


def test_a_node_that_cannot_be_asked_may_be_marked(scene: Scene) -> None:
    scene.lease().take(lasts_s=1)
    scene.time = NOW + timedelta(hours=1)
    argv: Sequence[str] = ["sh"]
    gone = Reply(error=NodeUnreachable("cp3", argv=argv, problem="no way"))
    scene.transport.on("sh", reply=gone, node="cp3")
    with pytest.raises(RefusedError, match="cp3: cannot be asked"):
        scene.lease("run-2", machine="there").take(lasts_s=60)


def test_the_dead_run_of_this_machine_is_over(scene: Scene) -> None:
    """Its lock is free and its undos are settled, or this run would not have come so far."""
    scene.lease().take(lasts_s=3600)
    scene.lease("run-2").take(lasts_s=60)
    assert scene.store.kept is not None
    assert scene.store.kept["spec"]["holderIdentity"].endswith("/run-2")


def test_of_two_at_once_one_gets_it(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    late = scene.lease("run-2", machine="there")
    monkeypatch.setattr(late.drivers.api, "get", lambda path: None)
    scene.lease().take(lasts_s=300)
    with pytest.raises(RefusedError, match="just taken"):
        late.take(lasts_s=60)
