"""The table of rights against what the code asks of an API server: all of it, and nothing more.

What asks is driven here one by one, over an API server that lets everything through and writes down
what it was asked; a whole run over real connections is tests/contract/engine/test_rights.py.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from quorate.harness.drivers import marks
from quorate.harness.drivers.drain import drain, noticed_cordons
from quorate.harness.drivers.kube import Answer, KubeDriver
from quorate.harness.drivers.kube_api import KubeApi, KubeCommands
from quorate.harness.drivers.kube_command import carry_out
from quorate.harness.drivers.kubectl import KubectlDriver
from quorate.harness.drivers.leases import LeaseDriver
from quorate.harness.drivers.rights import RightsDriver
from quorate.harness.drivers.sampler_pod import PODS, SECRETS, SamplerPod, SamplerPodDriver
from quorate.harness.drivers.service import ServiceDriver
from quorate.harness.drivers.watched import followed
from quorate.harness.errors import DriverError, RefusedError
from quorate.harness.faults.catalogue import ARRANGEMENTS
from quorate.harness.faults.contract import Plan
from quorate.harness.faults.worker_drain import WorkerDrain
from quorate.harness.model.access import Access, access_of
from quorate.harness.model.cluster import Cluster
from quorate.harness.model.marks import LABEL, annotation
from quorate.harness.model.own_commands import KUBE
from quorate.harness.model.register import Register
from quorate.harness.model.rights import RIGHTS, Right, granting
from quorate.harness.run.lease import ClusterLease
from quorate.harness.run.ledger import Ledger
from quorate.harness.run.observer import NAMESPACES
from quorate.harness.run.places import read_places
from quorate.harness.run.targets import LEASES
from quorate.probes import api_cached_read, api_dry_run_create, api_quorum_read, api_watch
from tests.memory_api import drivers_of

MADE = {"service_deployed": {"quorate-service"}, "webhook_of_one_replica": {"quorate-webhook"}}
"""Arrangement → what is not there before it."""

STATUS = {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1}


class Anything:
    """Has every object, in a state that lets whoever asks go on; `marked`: as ours, by it."""

    def __init__(self) -> None:
        self.asked: list[Access] = []
        self.marked = ""
        self.missing: set[str] = set()
        self.node: Any = SimpleNamespace(name="cp1")

    def close(self) -> None: ...

    def get(self, path: str) -> Answer:
        return self.ask("GET", path)

    def ask(
        self, method: str, path: str, *, body: bytes | None = None, content_type: str = ""
    ) -> Answer:
        access = access_of(method, path)
        self.asked.append(access)
        if method == "PATCH" and "force=true" in path:
            self.asked.append(access._replace(verb="create"))
        if method == "GET" and access.name in self.missing:
            return Answer(404, b"{}")
        said: dict[str, Any] = self._object(access)
        if access.verb == "list":
            said = {"items": [self._object(access)]}
        return Answer(201 if method == "POST" else 200, json.dumps(said).encode())

    def _object(self, access: Access) -> dict[str, Any]:
        of_ours = {LABEL: self.marked} if self.marked else {}
        changed = {annotation(self.marked): "on"} if self.marked else {}
        return {
            "metadata": {
                "name": access.name or "one",
                "namespace": access.namespace or "shop",
                "uid": "u",
                "resourceVersion": "1",
                "generation": 1,
                "labels": of_ours,
                "annotations": changed,
                "ownerReferences": [{"kind": "ReplicaSet", "name": "one-1", "controller": True}],
            },
            "spec": {
                "replicas": 1,
                "unschedulable": True,
                "clusterIP": "10.96.0.1",
                "ports": [{"port": 443}],
                "selector": {},
                "containers": [{}],
                "holderIdentity": "cp1_1",
                "nodeName": "w1",
            },
            "status": {
                **STATUS,
                "allowed": False,
                "conditions": [{"type": "Ready", "status": "True"}],
                "podIP": "10.0.0.1",
                "phase": "Running",
                "nodeInfo": {"kubeletVersion": "v1", "containerRuntimeVersion": "c"},
            },
            "gitVersion": "v1",
        }


class Clock:
    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


def carried_out(server: Anything, argv: Sequence[str]) -> None:
    if argv[0] == KUBE:
        carry_out(KubeApi(lambda: [server]), argv[1], argv[2:])


def undone(server: Anything, undo: Any, *, mark: str) -> None:
    server.marked = mark
    for argv in (undo.argv, undo.confirm_argv):
        if argv is not None:
            carried_out(server, argv)
    server.marked = ""


def play_worse(server: Anything, cluster: Cluster) -> None:
    """Every fault and arrangement that is put on by way of the API."""
    api: Any = server
    mute: Any = SimpleNamespace(run=lambda *_, **__: SimpleNamespace(returncode=1))
    drivers = drivers_of(
        cluster,
        SimpleNamespace(api=KubeApi(lambda: [api])),  # type: ignore[arg-type]
        service=ServiceDriver(cluster, api=KubeApi(lambda: [api])),
        kubectl=KubectlDriver(mute, cluster=cluster),
    )
    api_arrangements = {name for right in RIGHTS for name in right.needed_by} & set(ARRANGEMENTS)
    assert "service_deployed" in api_arrangements
    for name in sorted(api_arrangements):
        arrangement = ARRANGEMENTS[name]
        defaults = {one.name: one.default for one in arrangement.parameters}
        server.missing = MADE.get(name, set())
        plan = Plan(name, (), before=arrangement.prepare(drivers, arguments=defaults), mark="1-a")
        server.missing = set()
        for act in arrangement.acts(drivers, plan=plan):
            carried_out(server, act.argv)
        if name in ("pdb_zero", "one_coredns"):
            arrangement.proof(drivers, plan=plan)
        for undo in arrangement.undos(drivers, plan=plan):
            undone(server, undo, mark=plan.unit)
    fault = WorkerDrain()
    plan = Plan(
        "worker_drain-1",
        ("w1",),
        arguments={"deadline_s": 0.0, "lose_local_data": False},
        before={"pods:w1": "{}", "cordons:w1": "0"},
        mark="1-b",
    )
    cordon, _ = fault.acts(drivers, plan=plan)
    with pytest.raises(DriverError, match="like that already"):
        carried_out(server, cordon.argv)
    drain(KubeApi(lambda: [api]), node="w1", deadline_s=0.0, clock=Clock())
    noticed_cordons(KubeApi(lambda: [api]), "w1")
    for undo in fault.undos(drivers, plan=plan):
        undone(server, undo, mark=plan.unit)


def play_run(server: Anything, cluster: Cluster) -> None:
    """What every run asks, and from a pod."""
    api = KubeApi(lambda: [server])
    kube: Any = KubeDriver.__new__(KubeDriver)
    kube.nodes, kube._servers, kube._lock = cluster.control_planes, [server], threading.Lock()
    kube.api_server = lambda node, **_: server
    kube.nodes_ready(), kube.node_versions(), kube.nodes_running("app=web")
    kube.is_ready(cluster.nodes[0]), kube.server_version(cluster.nodes[0])
    for lease in LEASES.values():
        LeaseDriver(kube).held(lease)
    for resource in followed(NAMESPACES):
        server.get(resource.path), server.get(f"{resource.path}?watch=1")
    marks.left(api)
    read_places(api, ["kubernetes", "cluster-ip", "dns", "pod", "dns:1"])
    for question in (api_quorum_read.QUESTION, api_cached_read.QUESTION):
        server.ask("GET", question.path)
    server.ask("POST", api_dry_run_create.QUESTION.path)
    RightsDriver(lambda: [server]).missing([Access("get", "", "/readyz")])
    pods = SamplerPodDriver(cluster, kube=kube, api=api)
    pods.knows_node("w1"), pods.port("p").ask("/there")
    pods.make(SamplerPod("p", "w1", (), {}, 1.0)), pods.is_running("p")
    for path in (PODS, SECRETS):
        server.marked = "p"
        carried_out(server, KubeCommands().delete_labelled(path, mark="p"))
        carried_out(server, KubeCommands().show_labelled(path, mark="p"))
        server.marked = ""
    play_ledger_and_lease(server, cluster, api=api)


def play_ledger_and_lease(server: Anything, cluster: Cluster, *, api: KubeApi) -> None:
    drivers: Any = SimpleNamespace(cluster=cluster, api=api, kube_commands=KubeCommands())
    directory: Any = SimpleNamespace(
        run_id="20260101T000000Z-x-1a2b", append_event=lambda *a, **k: 0
    )
    request: Any = SimpleNamespace(
        cluster=cluster, experiment=SimpleNamespace(probes={}, deadlines_s=lambda name: (1.0,))
    )
    ledger = Ledger(directory, request=request, drivers=drivers)
    ledger.make()
    register: Register = ledger._registers[0]
    server.get(register.path), server.ask("PUT", register.path)
    server.get(api_watch.watch_path(register))
    undone(server, ledger.undo(), mark=ledger._unit)
    lease = ClusterLease(drivers, "20260101T000000Z-x-1a2b", Path("/nowhere"))
    lease.__dict__["home"] = "here"
    server.missing = {"quorate-run"}
    lease.take(lasts_s=1.0)
    server.missing = set()
    with pytest.raises(RefusedError):
        lease.demand(api_may_be_down=False)
    undone(server, lease.undo(), mark=lease._mark)


@pytest.fixture
def asked(cluster: Cluster) -> list[Access]:
    server = Anything()
    play_run(server, cluster)
    play_worse(server, cluster)
    return server.asked


def test_everything_that_is_asked_is_granted(asked: list[Access]) -> None:
    assert len(set(asked)) > 40, "the recording is broken"
    assert [str(one) for one in sorted(set(asked)) if granting(one) is None] == []


def test_nothing_is_granted_that_is_not_asked(asked: list[Access]) -> None:
    unused = [
        f"{verb} {right.resource} {right.names or ''} {right.namespace}"
        for right in RIGHTS
        for verb in right.verbs
        if not any(right.grants(one) for one in asked if one.verb == verb)
    ]
    assert unused == []


def test_a_right_too_few_and_one_too_many_would_be_found(asked: list[Access]) -> None:
    without = [one for one in RIGHTS if one.resource != "pods/eviction"]
    (eviction,) = {one for one in asked if one.resource == "pods/eviction"}
    assert not any(one.grants(eviction) for one in without)
    too_many = Right("probes", ("get",), "", "secrets", "")
    assert not any(too_many.grants(one) for one in asked)


@pytest.mark.parametrize(
    ("method", "target", "expected"),
    [
        ("GET", "/readyz", Access("get", "", "/readyz")),
        ("GET", "/api/v1/nodes", Access("list", "", "nodes")),
        ("GET", "/api/v1/nodes?watch=1&x=y", Access("watch", "", "nodes")),
        ("GET", "/api/v1/nodes/w1", Access("get", "", "nodes", "", "w1")),
        ("DELETE", "/api/v1/namespaces/x", Access("delete", "", "namespaces", "", "x")),
        (
            "POST",
            "/api/v1/namespaces/shop/pods/a/eviction",
            Access("create", "", "pods/eviction", "shop", "a"),
        ),
        (
            "GET",
            "/api/v1/namespaces/kube-system/pods/a:8080/proxy/tok/feed",
            Access("get", "", "pods/proxy", "kube-system", "a:8080"),
        ),
        (
            "PATCH",
            "/apis/apps/v1/namespaces/shop/deployments/web?fieldManager=x",
            Access("patch", "apps", "deployments", "shop", "web"),
        ),
    ],
)
def test_a_request_in_the_words_of_rbac(method: str, target: str, expected: Access) -> None:
    assert access_of(method, target) == expected


def test_words_for_people() -> None:
    assert str(Access("list", "", "nodes")) == "list nodes in the whole cluster"
    one = Access("patch", "apps", "deployments", "kube-system", "coredns")
    assert str(one) == "patch deployments.apps 'coredns' in namespace kube-system"
