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
from quorate.harness.drivers.kube_command import carry_out
from quorate.harness.errors import DriverError, NodeUnreachable, RefusedError
from quorate.harness.model.cluster import Cluster
from quorate.harness.model.marks import LABEL
from quorate.harness.model.undo import Undo
from quorate.harness.run.lease import PATH, TIME, ClusterLease, held_by_another, identity
from quorate.harness.transport import MemoryTransport, Reply

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


@dataclass
class Store:
    """An API server that keeps one Lease."""

    kept: dict[str, Any] | None = None
    asked: list[str] = field(default_factory=list)
    made: int = 0
    loses_answers: bool = False
    marked: dict[str, list[Any]] = field(default_factory=dict)

    def close(self) -> None: ...

    def ask(self, method: str, path: str, *, body: bytes | None, content_type: str) -> Answer:
        self.asked.append(method)
        if method == "GET" and not path.endswith("/quorate-run"):
            items = self.marked.get(path, [])
            return Answer(200, json.dumps({"items": items}).encode())
        if method == "GET":
            return self._answer()
        given = json.loads(body or b"{}")
        if method == "POST" and self.kept is not None:
            return Answer(409, b"{}")
        if method == "DELETE":
            wanted = given.get("preconditions", {})
            if self.kept is None or not wanted.items() <= self.kept["metadata"].items():
                return Answer(409, b"{}")
            self.kept = None
            return Answer(200, b"{}")
        assert method == "POST"
        self.made += 1
        given["metadata"] |= {"uid": f"u-{self.made}", "resourceVersion": str(len(self.asked))}
        self.kept = given
        if self.loses_answers:
            raise DriverError("no answer")
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
        servers: Any = lambda: [self.store] * 2  # noqa: E731
        drivers: Any = SimpleNamespace(
            api=KubeApi(servers),
            kube_commands=KubeCommands(),
            transport=self.transport,
            cluster=self.cluster,
        )
        return ClusterLease(drivers, run, self.folder / machine, wall=lambda: self.time)


@pytest.fixture
def scene(cluster: Cluster, tmp_path: Path) -> Scene:
    return Scene(Store(), MemoryTransport(), cluster, tmp_path)


def carried_out(scene: Scene, undo: Undo) -> str:
    """What its command says when it is run."""
    verb, *words = undo.argv[undo.argv.index("delete-marked") :]
    return carry_out(scene.lease().drivers.api, verb, words)


def test_it_lasts_as_long_as_the_run_can_and_its_removal_names_it(scene: Scene) -> None:
    lease = scene.lease()
    lease.take(lasts_s=421.5)
    assert scene.store.kept is not None
    spec = scene.store.kept["spec"]
    assert spec["leaseDurationSeconds"] == 422
    assert spec["renewTime"] == NOW.strftime(TIME)
    assert spec["holderIdentity"].endswith("/run-1")
    undo = lease.undo()
    mark = scene.store.kept["metadata"]["labels"][LABEL]
    assert undo.argv[-3:] == ("delete-marked", PATH, mark)
    assert undo.confirm_expect is not None
    assert re.search(undo.confirm_expect, "gone\n", re.MULTILINE)
    assert re.search(undo.confirm_expect, '"quorate-120000-ffff-lease"', re.MULTILINE)
    assert not re.search(undo.confirm_expect, f'"{mark}"\n', re.MULTILINE)


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


def test_two_machines_that_look_alike_are_two(tmp_path: Path) -> None:
    """Containers of a CI: the same host name, the same path, the same user."""
    one, other = tmp_path / "one" / "state", tmp_path / "other" / "state"
    assert identity(one) == identity(one)
    assert identity(one) != identity(other)


def test_its_removal_is_known_before_it_is_made(scene: Scene) -> None:
    lease = scene.lease()
    undo = lease.undo()
    assert carried_out(scene, undo) == "gone", "nothing to do when the run died before it took it"
    lease.take(lasts_s=300)
    assert lease.undo() == undo
    assert carried_out(scene, undo) == "done"
    assert scene.store.kept is None


def test_taken_over_it_has_another_mark_so_a_late_undo_misses_it(scene: Scene) -> None:
    first = scene.lease()
    first.take(lasts_s=300)
    late = first.undo()
    scene.time = NOW + timedelta(seconds=301)
    scene.lease("run-2", machine="there").take(lasts_s=300)
    assert carried_out(scene, late) == "not marked"
    assert scene.store.kept is not None
    assert scene.store.kept["spec"]["holderIdentity"].endswith("/run-2")


def test_one_that_changed_after_it_was_read_is_not_taken_over(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.lease().take(lasts_s=300)
    assert scene.store.kept is not None
    read = json.loads(json.dumps(scene.store.kept))
    scene.time = NOW + timedelta(seconds=301)
    scene.store.kept["metadata"]["resourceVersion"] = "99"
    other = scene.lease("run-2", machine="there")
    seen = iter([read])
    get = other.drivers.api.get
    monkeypatch.setattr(other.drivers.api, "get", lambda path: next(seen, None) or get(path))
    with pytest.raises(RefusedError, match="just taken"):
        other.take(lasts_s=60)


def test_an_answer_that_was_lost_is_not_taken_for_another_run(scene: Scene) -> None:
    """The first API server carried it out and said nothing; the second one says 409."""
    scene.store.loses_answers = True
    lease = scene.lease()
    lease.take(lasts_s=300)
    lease.demand(api_may_be_down=False)


def test_it_must_be_ours_still(scene: Scene) -> None:
    lease = scene.lease()
    with pytest.raises(RefusedError):
        lease.demand(api_may_be_down=False)
    lease.take(lasts_s=300)
    lease.demand(api_may_be_down=False)
    scene.time = NOW + timedelta(seconds=300)
    with pytest.raises(RefusedError, match="longer than its Lease"):
        lease.demand(api_may_be_down=True)
    other = scene.lease("run-2", machine="there")
    other.take(lasts_s=300)
    scene.time = NOW + timedelta(seconds=10)
    with pytest.raises(RefusedError, match=r"held by .*/run-2"):
        lease.demand(api_may_be_down=True)
    scene.store.kept = None
    with pytest.raises(RefusedError, match="held by nobody"):
        lease.demand(api_may_be_down=False)


def test_a_silent_api_is_believed_only_while_a_fault_of_ours_is_on(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(path: str) -> Any:
        raise DriverError("no API server answers")

    lease = scene.lease()
    lease.take(lasts_s=300)
    monkeypatch.setattr(lease.drivers.api, "get", silent)
    lease.demand(api_may_be_down=True)
    with pytest.raises(DriverError):
        lease.demand(api_may_be_down=False)


@pytest.mark.parametrize(
    ("path", "meta"),
    [
        ("/api/v1/nodes", {"name": "w1", "annotations": {"quorate/quorate-1-a-drain-1": "on"}}),
        ("/api/v1/namespaces", {"name": "quorate", "labels": {"quorate/mark": "quorate-1-a"}}),
        (
            "/apis/apps/v1/namespaces/kube-system/deployments",
            {"name": "coredns", "annotations": {"quorate/quorate-1-a-one-coredns": "on"}},
        ),
        (
            "/api/v1/namespaces/kube-system/secrets?labelSelector=quorate%2Fmark",
            {"name": "quorate-1-a-sampler-1", "labels": {"quorate/mark": "quorate-1-a"}},
        ),
    ],
)
def test_marks_in_the_api_keep_it_from_being_taken_over(
    scene: Scene, path: str, meta: dict[str, Any]
) -> None:
    scene.lease().take(lasts_s=1)
    scene.time = NOW + timedelta(hours=1)
    scene.store.marked = {path: [{"metadata": meta}, {"metadata": {"name": "other"}}]}
    with pytest.raises(RefusedError, match=f"[a-z]/{meta['name']}: quorate/"):
        scene.lease("run-2", machine="there").take(lasts_s=60)


def test_an_undo_knows_whether_somebody_else_is_running(scene: Scene) -> None:
    lease = scene.lease()
    lease.take(lasts_s=300)
    assert scene.store.kept is not None
    scene.transport.on("@kube", reply=Reply(json.dumps(scene.store.kept["spec"])))

    def asked(run: str = "run-2", machine: str = "there") -> str:
        return held_by_another(
            scene.transport,
            state_dir=scene.folder / machine,
            run_id=run,
            wall=lambda: scene.time,
        )

    assert "run-1 is running on this cluster until 12:05:00" in asked()
    assert asked("run-1") == "", "its own, settled elsewhere"
    assert asked(machine="here") == "", "of this machine, whose lock we hold"
    scene.time = NOW + timedelta(seconds=301)
    assert asked() == ""


@pytest.mark.parametrize("reply", [Reply("gone\n"), Reply(returncode=1, stderr="no answer")])
def test_an_undo_does_not_wait_for_an_api_that_says_nothing(scene: Scene, reply: Reply) -> None:
    scene.transport.on("@kube", reply=reply)
    assert held_by_another(scene.transport, state_dir=scene.folder, run_id="run-1") == ""
