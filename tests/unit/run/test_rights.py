"""The table of rights against what the code asks of an API server: all of it, and nothing more.

What asks is driven here one by one, over an API server that lets everything through and writes down
what it was asked.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from quorate.harness.drivers import marks
from quorate.harness.drivers.drain import drain, noticed_cordons
from quorate.harness.drivers.kube import Answer, KubeDriver
from quorate.harness.drivers.kube_api import KubeApi, KubeCommands
from quorate.harness.drivers.kubectl import KubectlDriver
from quorate.harness.drivers.leases import LeaseDriver
from quorate.harness.drivers.rights import RightsDriver
from quorate.harness.drivers.sampler_pod import PODS, SECRETS, SamplerPod, SamplerPodDriver
from quorate.harness.drivers.service import ServiceDriver
from quorate.harness.drivers.watched import followed
from quorate.harness.errors import DriverError, Forbidden, RefusedError
from quorate.harness.faults.catalogue import ARRANGEMENTS
from quorate.harness.faults.contract import Plan
from quorate.harness.faults.worker_drain import WorkerDrain
from quorate.harness.model.access import Access, access_of
from quorate.harness.model.cluster import Cluster
from quorate.harness.model.given import Given
from quorate.harness.model.register import Register
from quorate.harness.model.rights import PARTS, RIGHTS, Right, granting, needed
from quorate.harness.run.lease import ClusterLease
from quorate.harness.run.ledger import Ledger
from quorate.harness.run.manifests import manifest
from quorate.harness.run.observer import NAMESPACES
from quorate.harness.run.places import read_places
from quorate.harness.run.rights import demand_api
from quorate.harness.run.targets import LEASES
from quorate.probes import api_cached_read, api_dry_run_create, api_quorum_read, api_watch
from tests.memory_api import drivers_of
from tests.permissive_api import MADE, Anything, Clock, carried_out, undone


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


# --- before anything is touched


def experiment(*faults: str, given: Sequence[str] = (), paths: Sequence[str] = ()) -> Any:
    return SimpleNamespace(
        faults=[SimpleNamespace(func=name) for name in faults],
        given=tuple(Given.model_validate(name) for name in given),
        probes={path: SimpleNamespace(path=path) for path in paths},
        vantages=(),
    )


class Reviewing(Anything):
    """Tells that everything is allowed but what `denies` says."""

    def __init__(self, *denied: tuple[str, str]) -> None:
        super().__init__()
        self.denied, self.reviews = denied, 0
        self.status = 201

    def ask(
        self, method: str, path: str, *, body: bytes | None = None, content_type: str = ""
    ) -> Answer:
        given = json.loads(body or b"{}")
        if given["kind"] == "SelfSubjectReview":
            said: Any = {"userInfo": {"username": "system:serviceaccount:kube-system:quorate"}}
            return Answer(201, json.dumps({"status": said}).encode())
        self.reviews += 1
        spec = given["spec"].get("resourceAttributes") or {}
        of = (
            spec.get("verb"),
            "/".join(filter(None, (spec.get("resource"), spec.get("subresource")))),
        )
        said = {"status": {"allowed": of not in self.denied}}
        return Answer(self.status, json.dumps(said).encode())


def test_nothing_lacks_nothing_is_said() -> None:
    server = Reviewing()
    demand_api(RightsDriver(lambda: [server]), experiment("worker_drain"))
    assert 20 <= server.reviews <= 60, "each is a millisecond before a run"


def test_every_right_that_lacks_is_named_with_whose_and_what_grants_it() -> None:
    server = Reviewing(("create", "pods/eviction"), ("list", "nodes"))
    with pytest.raises(Forbidden) as caught:
        demand_api(RightsDriver(lambda: [server]), experiment("worker_drain"))
    assert str(caught.value) == (
        "the Kubernetes API does not allow system:serviceaccount:kube-system:quorate to\n"
        "  list nodes in the whole cluster\n"
        "  create pods/eviction in the whole cluster\n"
        "granted by: quorate rights --probes --faults | kubectl apply -f -"
    )
    assert isinstance(caught.value, RefusedError)


def test_what_an_experiment_does_not_need_is_not_demanded() -> None:
    server = Reviewing(("create", "pods/eviction"), ("patch", "nodes"), ("create", "secrets"))
    demand_api(RightsDriver(lambda: [server]), experiment("etcd_kill"))


def test_where_nobody_can_tell_the_run_goes_on_to_what_it_needs() -> None:
    server = Reviewing(("list", "nodes"))
    server.status = 403
    demand_api(RightsDriver(lambda: [server]), experiment())


def test_each_right_is_needed_by_something_that_there_is() -> None:
    everything = experiment(
        "worker_drain", given=list(ARRANGEMENTS), paths=["kubernetes", "dns:1", "cluster-ip"]
    )
    everything.vantages = ("pod:first-worker",)
    late = [one for one in RIGHTS if one not in needed(everything)]
    assert {(one.resource, one.needed_by) for one in late} == {
        ("namespaces", ("an expired Lease of a run elsewhere",)),
        ("validatingwebhookconfigurations", ("an expired Lease of a run elsewhere",)),
        ("deployments", ("an expired Lease of a run elsewhere",)),
    }


# --- a 403 in the middle


def forbidding(*paths: str) -> KubeApi:
    message = 'nodes "w1" is forbidden: User "ops" cannot patch resource "nodes" in API group ""'

    class Server(Anything):
        def ask(self, method: str, path: str, **_: Any) -> Answer:
            return Answer(403, json.dumps({"message": message}).encode())

    return KubeApi(lambda: [Server()])


def test_a_403_names_what_whose_and_the_manifest() -> None:
    with pytest.raises(Forbidden) as caught:
        forbidding().patch("/api/v1/nodes/w1", {})
    assert str(caught.value) == (
        "the Kubernetes API does not allow ops to\n  patch nodes 'w1' in the whole cluster\n"
        "granted by: quorate rights --faults | kubectl apply -f -"
    )


def test_a_drain_that_is_forbidden_is_not_repeated_until_its_deadline() -> None:
    clock = Clock()
    with pytest.raises(Forbidden):
        drain(forbidding(), node="w1", deadline_s=60.0, clock=clock)
    assert clock.now() == 0.0


# --- the manifests


@pytest.mark.parametrize("part", PARTS)
def test_the_manifests_in_docs_are_what_the_table_says(root: Any, part: Any) -> None:
    """`quorate rights --PART > docs/rights/PART.yaml` after the table has changed."""
    assert (root / "docs" / "rights" / f"{part}.yaml").read_text() == manifest(part)


@pytest.mark.parametrize("part", PARTS)
def test_a_manifest_grants_the_part_and_no_star(part: Any) -> None:
    documents = list(yaml.safe_load_all(manifest(part)))
    rules = [
        (one["metadata"].get("namespace", ""), rule)
        for one in documents
        for rule in one.get("rules", ())
    ]
    assert len(rules) == len([one for one in RIGHTS if one.part == part])
    assert "*" not in manifest(part)
    for right in (one for one in RIGHTS if one.part == part and one.names):
        wanted = {
            "apiGroups": [right.group],
            "resources": [right.resource],
            "resourceNames": list(right.names),
            "verbs": list(right.verbs),
        }
        assert (right.namespace, wanted) in rules
    bound = [one for one in documents if one["kind"].endswith("Binding")]
    roles = [one for one in documents if one["kind"] in ("Role", "ClusterRole")]
    assert [one["roleRef"]["name"] for one in bound] == [one["metadata"]["name"] for one in roles]
