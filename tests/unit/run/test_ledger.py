"""The registers of a run: declared, made after their removal is journalled, read back."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from quorate.harness.drivers.etcd import EtcdDriver
from quorate.harness.drivers.keepalived import KeepalivedDriver
from quorate.harness.drivers.kube import Answer
from quorate.harness.drivers.kube_api import KubeApi, KubeCommands
from quorate.harness.drivers.kube_command import carry_out
from quorate.harness.errors import DriverError, NodeUnreachable, SpecError
from quorate.harness.model.cluster import Cluster, Node
from quorate.harness.model.probe_plan import ClientCredentials
from quorate.harness.model.probe_spec import ProbeSpec
from quorate.harness.run.ledger import CONFIG_MAPS, READ_HZ, WRITE_HZ, Ledger, check_registers
from quorate.harness.run.read_back import compare_members
from quorate.harness.transport import MemoryTransport, Reply
from tests.contract.engine.fake.objects import ConfigMaps

RUN_ID = "20260101T120000Z-x-0a79"
ETCD_SAYS = '{"header": {"revision": "%d"}, "hash": %d, "compact_revision": "7"}'
KEEPALIVED = "vrrp_instance vip {\n advert_int %s\n virtual_ipaddress {\n 192.0.2.100/24\n }\n}\n"
UNREACHABLE = Reply(error=NodeUnreachable("cp2", argv=["x"], problem="no route"))


@dataclass
class Server:
    """An API server; `dead`: it answers nothing."""

    node: Node
    kept: ConfigMaps
    dead: bool = False
    asked: int = 0

    def get(self, path: str) -> Answer:
        return self.ask("GET", path)

    def ask(
        self, method: str, path: str, *, body: bytes | None = None, content_type: str = ""
    ) -> Answer:
        self.asked += 1
        if self.dead:
            raise DriverError("no answer")
        answer = self.kept.answer(method, path, body or b"")
        assert answer is not None
        return Answer(*answer)

    def close(self) -> None: ...


@dataclass
class Clock:
    time: float = 0.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


@dataclass
class Directory:
    """Of a run: what was written down in it."""

    run_id: str = RUN_ID
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def append_event(self, kind: str, /, **data: Any) -> None:
        json.dumps(data)
        self.events.append((kind, data))

    def now(self) -> float:
        return 12.5

    def of(self, kind: str) -> dict[str, Any]:
        (found,) = [data for name, data in self.events if name == kind]
        return found


@dataclass
class Scene:
    """A ledger over three API servers in health."""

    cluster: Cluster
    probes: dict[str, ProbeSpec] = field(default_factory=dict)
    deadlines_s: Sequence[float] = (1.0,)

    def __post_init__(self) -> None:
        self.kept = ConfigMaps()
        self.servers = [Server(node, self.kept) for node in self.cluster.control_planes]
        self.transport = MemoryTransport()
        self.directory = Directory()
        self.transport.on("curl", reply=Reply(ETCD_SAYS % (90, 5)))
        self.transport.on("cat", reply=Reply(KEEPALIVED % "1"))
        self.api = KubeApi(lambda: self.servers)

    @property
    def experiment(self) -> Any:
        deadlines = tuple(self.deadlines_s)
        return SimpleNamespace(probes=self.probes, deadlines_s=lambda name: deadlines)

    def ledger(self) -> Ledger:
        drivers: Any = SimpleNamespace(
            cluster=self.cluster,
            api=self.api,
            kube=SimpleNamespace(servers=lambda: self.servers),
            kube_commands=KubeCommands(),
            etcd=EtcdDriver(self.transport),
            keepalived=KeepalivedDriver(self.transport, cluster=self.cluster),
            clock=Clock(),
        )
        request: Any = SimpleNamespace(cluster=self.cluster, experiment=self.experiment)
        directory: Any = self.directory
        return Ledger(directory, request=request, drivers=drivers)


@pytest.fixture
def scene(cluster: Cluster) -> Scene:
    return Scene(cluster)


CREDENTIALS = ClientCredentials(ca_pem="CA")


def test_writers_by_way_of_the_vip_and_of_each_api_server(scene: Scene) -> None:
    plans = scene.ledger().plans(CREDENTIALS)
    servers = [f"apiserver_cp{n}" for n in (1, 2, 3)]
    names, readers = [f"_write_{one}" for one in ["vip", *servers]], [f"_read_{n}" for n in servers]
    assert list(plans) == [*names, *readers]
    assert [(plans[n].host, plans[n].writes, plans[n].rate_hz) for n in names] == [
        ("192.0.2.100", True, WRITE_HZ),
        *((f"192.0.2.{n}", True, WRITE_HZ) for n in (1, 2, 3)),
    ]
    paths = [one.path for name in names for one in plans[name].registers]
    assert len(set(paths)) == 4
    for name in readers:
        assert (plans[name].writes, plans[name].rate_hz) == (False, READ_HZ)
        assert [one.path for one in plans[name].registers] == paths, "each reads all of them"


def test_a_probe_that_writes_has_registers_for_its_longest_deadline(cluster: Cluster) -> None:
    """A write still under way when its register's turn comes again has missed all deadlines."""
    spec = ProbeSpec(probe="api_write", path="vip", connection="new", rate_hz=10)
    scene = Scene(cluster, {"writes": spec}, deadlines_s=(0.5, 1.95))
    ledger = scene.ledger()
    own = ledger.written_by("writes")
    assert len(own) == 20
    read = {one.name for one in ledger.plans(CREDENTIALS)["_read_apiserver_cp1"].registers}
    assert not read & {one.name for one in own}, "the readers keep to the run's own"
    check_registers(scene.experiment)
    scene.deadlines_s = (11.0,)
    with pytest.raises(SpecError, match=r"probe writes.* take 110 registers.*at most 100"):
        check_registers(scene.experiment)


def test_a_probe_that_watches_is_given_all_registers(cluster: Cluster) -> None:
    writing = ProbeSpec(probe="api_write", path="vip", connection="new", rate_hz=2)
    watching = ProbeSpec(probe="api_watch", path="vip", connection="reused", rate_hz=2)
    scene = Scene(cluster, {"writes": writing, "watch": watching}, deadlines_s=(1.0,))
    ledger = scene.ledger()
    assert ledger.registers_for("writes") == ledger.written_by("writes")
    given = {one.name for one in ledger.registers_for("watch")}
    own = {one.name for plan in ledger.plans(CREDENTIALS).values() for one in plan.registers}
    assert given == own | {one.name for one in ledger.written_by("writes")}


def test_what_is_declared_is_what_is_made(scene: Scene) -> None:
    ledger = scene.ledger()
    ledger.declare()
    ledger.make()
    declared, made = scene.directory.of("ledger_declared"), scene.directory.of("ledger_made")
    assert declared["members"] == declared["balancers"] == ["cp1", "cp2", "cp3"]
    assert declared["registers"] == {"1": "_write_vip"} | {
        str(n + 1): f"_write_apiserver_cp{n}" for n in (1, 2, 3)
    }
    assert [row["name"] for row in made["registers"]] == list(declared["registers"])
    kept = list(scene.kept.objects.values())
    assert [row["version"] for row in made["registers"]] == [
        one["metadata"]["resourceVersion"] for one in kept
    ]
    assert len({one["data"]["value"] for one in kept}) == 4


def test_the_undo_removes_ours_and_nothing_else(scene: Scene) -> None:
    ledger = scene.ledger()
    ledger.make()
    theirs = {"metadata": {"name": "kubeadm-config", "labels": {}}, "data": {}}
    scene.kept.answer("POST", CONFIG_MAPS, json.dumps(theirs).encode())
    undo = ledger.undo()

    def confirmed() -> bool:
        said = carry_out(scene.api, undo.confirm_argv[1], undo.confirm_argv[2:])  # type: ignore[index]
        return re.search(undo.confirm_expect or "", said, re.MULTILINE) is not None

    assert not confirmed()
    for _ in range(2):  # an undo may be carried out twice
        carry_out(scene.api, undo.argv[1], undo.argv[2:])
        assert confirmed()
    assert list(scene.kept.objects) == [f"{CONFIG_MAPS}/kubeadm-config"]


def test_a_register_whose_making_was_not_answered_is_the_one_that_is_there(scene: Scene) -> None:
    first = scene.servers[0]
    answer = scene.kept.answer

    def lost(method: str, target: str, given: bytes) -> Any:
        told = answer(method, target, given)
        if method == "POST" and not first.dead:
            first.dead = True
            raise DriverError("no answer")
        return told

    scene.kept.answer = lost  # type: ignore[method-assign]
    scene.ledger().make()
    assert first.dead
    assert len(scene.kept.objects) == len(scene.directory.of("ledger_made")["registers"]) == 4


def test_an_api_that_takes_nothing_is_an_error(scene: Scene) -> None:
    for server in scene.servers:
        server.dead = True
    with pytest.raises(DriverError, match="no API server answers"):
        scene.ledger().make()


def test_each_register_is_read_back_through_each_server(scene: Scene) -> None:
    ledger = scene.ledger()
    ledger.make()
    scene.servers[1].dead = True
    gone = next(iter(scene.kept.objects))
    del scene.kept.objects[gone]
    ledger.read_back()
    rows = scene.directory.of("ledger_read_back")["reads"]
    by_server = {n: [row for row in rows if row["server"] == f"cp{n}"] for n in (1, 2, 3)}
    assert by_server[2] == [{"register": "1", "server": "cp2", "problem": "no answer"}]
    assert scene.servers[1].asked == 1, "not once more for each register"
    for n in (1, 3):
        first, *others = by_server[n]
        assert first == {
            "register": "1", "server": f"cp{n}", "start": 12.5, "end": 12.5, "gone": True
        }  # fmt: skip
        assert [row["value"] for row in others] == [f"0a79.{one}.initial" for one in (2, 3, 4)]
    assert scene.directory.of("etcd_hashes")["members"]["cp3"] == {
        "hash": 5, "revision": 90, "compacted": 7
    }  # fmt: skip
    assert scene.directory.of("vrrp_advert") == {"advert_s": 1.0}


def test_what_cannot_be_asked_at_the_end_is_written_down(scene: Scene) -> None:
    ledger = scene.ledger()
    ledger.make()
    for server in scene.servers:
        server.dead = True
    scene.transport.on("curl", reply=UNREACHABLE, node="cp2")
    scene.transport.on("cat", reply=UNREACHABLE, node="cp2")
    ledger.read_back()
    assert {row["problem"] for row in scene.directory.of("ledger_read_back")["reads"]} == {
        "no answer"
    }
    assert "no route" in scene.directory.of("etcd_hashes")["members"]["cp2"]["problem"]
    assert "no route" in scene.directory.of("vrrp_advert")["problem"]


def test_where_nothing_was_made_nothing_is_read_back(scene: Scene) -> None:
    scene.ledger().read_back()
    assert scene.directory.events == []


def test_the_longest_advert_counts(scene: Scene) -> None:
    scene.transport.on("cat", reply=Reply(KEEPALIVED % "2.5"), node="cp3")
    ledger = scene.ledger()
    ledger.make()
    ledger.read_back()
    assert scene.directory.of("vrrp_advert") == {"advert_s": 2.5}


def test_a_member_that_is_behind_is_waited_for() -> None:
    behind = '{"error": "mvcc: required revision is a future revision", "code": 11}'
    transport = MemoryTransport().on("curl", reply=Reply(ETCD_SAYS % (90, 5)))
    transport.on("curl", reply=Reply(behind), node="cp2", times=2)
    clock = Clock()
    told = compare_members(EtcdDriver(transport), ["cp1", "cp2"], clock=clock)
    assert told["cp1"] == told["cp2"] == {"hash": 5, "revision": 90, "compacted": 7}
    assert clock.time == 2.0
    asked = [json.loads(call.argv[call.argv.index("-d") + 1]) for call in transport.calls]
    assert asked[:2] == [{"revision": "0"}, {"revision": "90"}], "the second at the first's"


def test_members_that_differ_are_told_at_once() -> None:
    transport = MemoryTransport().on("curl", reply=Reply(ETCD_SAYS % (90, 5)))
    transport.on("curl", reply=Reply(ETCD_SAYS % (92, 6)), node="cp2")
    clock = Clock()
    told = compare_members(EtcdDriver(transport), ["cp1", "cp2"], clock=clock)
    assert [row["hash"] for row in told.values()] == [5, 6]
    assert {row["revision"] for row in told.values()} == {90}
    assert clock.time == 0.0
