"""What a run says where a right is not there; and the manifests that grant them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from quorate.harness.drivers.drain import drain
from quorate.harness.drivers.kube import Answer
from quorate.harness.drivers.kube_api import KubeApi
from quorate.harness.drivers.rights import RightsDriver
from quorate.harness.errors import Forbidden, RefusedError, SudoRefused
from quorate.harness.faults.catalogue import ARRANGEMENTS
from quorate.harness.model.access import Access
from quorate.harness.model.cluster import Cluster, Ssh
from quorate.harness.model.given import Given
from quorate.harness.model.rights import PARTS, RIGHTS, granting, needed
from quorate.harness.run.manifests import manifest
from quorate.harness.run.rights import demand_api, demand_rights
from quorate.harness.transport import MemoryTransport, Reply
from tests.unit.run.test_rights import Anything, Clock


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


def test_what_two_manifests_grant_is_granted_by_the_one_that_is_for_this_run() -> None:
    """--pods lets one become root: nobody is sent there for a drain."""
    server = Reviewing(("get", "nodes"))
    drained, sampled = experiment("worker_drain"), experiment()
    sampled.vantages = ("pod:first-worker",)
    for one, part in ((drained, "faults"), (sampled, "pods")):
        with pytest.raises(Forbidden, match=rf"quorate rights --{part} \|"):
            demand_api(RightsDriver(lambda: [server]), one)
    asked = Access("get", "", "nodes", "", "w1")
    assert granting(asked) == "faults"


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


# --- sudo


def test_each_node_whose_sudo_refuses_is_named(cluster: Cluster) -> None:
    transport = MemoryTransport()
    for node in ("cp2", "w1"):
        refusal = SudoRefused(node, argv=("true",), user="ops", said="a password is required")
        transport.on("true", node=node, reply=Reply(error=refusal))
    drivers: Any = SimpleNamespace(
        cluster=cluster.model_copy(update={"ssh": Ssh(user="ops", sudo=True)}),
        transport=transport,
        rights=RightsDriver(lambda: [Reviewing()]),
    )
    with pytest.raises(RefusedError) as caught:
        demand_rights(drivers, experiment())
    said = str(caught.value)
    assert "cp2: sudo does not let ops" in said
    assert "w1: sudo does not let ops" in said
    assert "cp1" not in said
    drivers.cluster = cluster
    demand_rights(drivers, experiment())
    assert len(transport.calls) == len(cluster.nodes), "where ssh is root, nobody is asked"
