from __future__ import annotations

import json
from pathlib import Path

import pytest

from quorate.harness.errors import RefusedError, SpecError
from quorate.harness.model.cluster import Cluster
from quorate.harness.model.experiment import Experiment
from quorate.harness.model.probe_plan import ClientCredentials, ProbePlan
from quorate.harness.model.probe_spec import ProbeSpec
from quorate.harness.model.register import Register
from quorate.probes.catalogue import NOWHERE, PROBES, check_probes, endpoint, is_inside, plan_probe
from tests import paper_lab

CLUSTER = Cluster.model_validate(
    {
        "format": 1,
        "name": "c",
        "service": {"node_port": 30777},
        "kubeconfig": Path("kubeconfig"),
        "virtual_ip": {"address": "10.0.0.9", "port": 8443},
        "nodes": [
            {"name": "cp1", "address": "10.0.0.11", "roles": ["control-plane", "load-balancer"]},
            {"name": "w1", "address": "10.0.0.21", "roles": ["worker"]},
        ],
    }
)
CREDENTIALS = ClientCredentials(ca_pem="CA", certificate_pem="CERT", key_pem="SECRET")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("vip", ("10.0.0.9", 8443)),
        ("haproxy:cp1", ("10.0.0.11", 8443)),
        ("apiserver:cp1", ("10.0.0.11", 6443)),
        ("apiserver", ("10.0.0.11", 6443)),
        ("haproxy", ("10.0.0.11", 8443)),
    ],
)
def test_path_words(path: str, expected: tuple[str, int]) -> None:
    assert endpoint(path, cluster=CLUSTER) == expected


@pytest.mark.parametrize("path", ["haproxy:w1", "apiserver:w1", "apiserver:cp9"])
def test_a_path_to_no_such_node_is_refused(path: str) -> None:
    with pytest.raises(RefusedError, match="there: cp1"):
        endpoint(path, cluster=CLUSTER)


def test_the_balancer_of_a_path_is_the_cluster_s() -> None:
    by_nginx = paper_lab.cluster(paper_lab.BY_NGINX)
    assert endpoint("nginx:cp2", cluster=by_nginx) == ("10.77.0.12", 8443)
    with pytest.raises(RefusedError, match=r"balances by nginx .* say nginx:cp2"):
        endpoint("haproxy:cp2", cluster=by_nginx)
    with pytest.raises(RefusedError, match=r"balances by haproxy .* say haproxy$"):
        endpoint("nginx", cluster=CLUSTER)


def test_a_service_is_entered_where_pods_run() -> None:
    apart = paper_lab.cluster(paper_lab.APART)
    assert endpoint("service:w2", cluster=apart) == ("10.77.0.22", 30999)
    with pytest.raises(RefusedError, match=r"no such node with pods; there: cp1, .*w3$"):
        endpoint("service:lb1", cluster=apart)


def plan(connection: str = "new") -> ProbePlan:
    raw = {"probe": "api_quorum_read", "path": "vip", "connection": connection, "rate_hz": 20}
    spec = ProbeSpec.model_validate(raw)
    return plan_probe(spec, cluster=CLUSTER, credentials=CREDENTIALS, hard_timeout_s=7.0)


def test_the_quorum_read_asks_for_no_resource_version() -> None:
    made = plan()
    assert (made.host, made.port, made.rate_hz, made.hard_timeout_s) == ("10.0.0.9", 8443, 20, 7)
    assert "resourceVersion" not in made.path
    (request,) = made.requests
    assert request.startswith(f"GET {made.path} HTTP/1.1\r\nHost: 10.0.0.9:8443\r\n")
    assert request.endswith("\r\n\r\n")
    assert made.body_contains


@pytest.mark.parametrize(("connection", "word"), [("new", "close"), ("reused", "keep-alive")])
def test_a_new_connection_says_that_it_ends(connection: str, word: str) -> None:
    assert f"Connection: {word}\r\n" in plan(connection).requests[0]


def test_registers_are_asked_in_turn_and_written_where_that_is_what_the_probe_does() -> None:
    registers = tuple(
        Register(str(n), "w", f"/registers/{n}", {"metadata": {}}, f"x.{n}.") for n in (1, 2)
    )
    spec = ProbeSpec(probe="api_write", path="apiserver:cp1", connection="reused", rate_hz=2)
    made = plan_probe(spec, cluster=CLUSTER, credentials=CREDENTIALS, registers=registers)
    assert made.writes
    assert (made.host, made.port) == ("10.0.0.11", 6443)
    assert [request.split()[1] for request in made.requests] == ["/registers/1", "/registers/2"]
    assert made.head("PUT", "/registers/1").startswith("PUT /registers/1 HTTP/1.1\r\n")
    reading = spec.model_copy(update={"probe": "api_quorum_read"})
    assert not plan_probe(reading, cluster=CLUSTER, credentials=CREDENTIALS).writes


def asked(probe: str, *, path: str = "apiserver:cp1", **more: object) -> ProbePlan:
    raw = {"probe": probe, "path": path, "connection": "reused", "rate_hz": 5}
    spec = ProbeSpec.model_validate(raw)
    return plan_probe(spec, cluster=CLUSTER, credentials=CREDENTIALS, **more)  # type: ignore[arg-type]


def test_a_cached_read_asks_for_the_same_object_as_it_may_be_remembered() -> None:
    assert asked("api_cached_read").path == f"{plan().path}?resourceVersion=0"


def test_a_dry_run_is_a_create_that_keeps_nothing() -> None:
    (request,) = asked("api_dry_run_create").requests
    head, _, body = request.partition("\r\n\r\n")
    assert head.startswith("POST /api/v1/namespaces/kube-system/configmaps?dryRun=All HTTP/1.1\r\n")
    assert f"Content-Length: {len(body)}" in head.split("\r\n")
    given = json.loads(body)
    assert given["kind"] == "ConfigMap"
    assert "name" not in given["metadata"], "it is in nobody's way"


def test_a_watch_is_of_all_registers_of_the_run_and_keeps_its_connection() -> None:
    body = {"metadata": {"labels": {"quorate/mark": "m-1"}}}
    register = Register("1", "w", "/folder/one", body, "x.1.")
    made = asked("api_watch", registers=(register,))
    assert made.watches
    assert not made.registers
    assert made.path == (
        "/folder?watch=1&labelSelector=quorate%2Fmark%3Dm-1&resourceVersion={version}"
    )


ON_NODE = {"from": "node:w1"}


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ({"probe": "api_watch", "path": "vip", "connection": "reused"}, ""),
        ({"probe": "api_watch", "path": "vip"}, "api_watch with connection: new"),
        (
            {"probe": "api_watch", "path": "vip", "connection": "reused", **ON_NODE},
            "api_watch from node:w1",
        ),
        ({"probe": "api_quorum_read", "path": "kubernetes", **ON_NODE}, ""),
        ({"probe": "api_quorum_read", "path": "kubernetes"}, "by path kubernetes from the harness"),
        ({"probe": "service_reachability", "path": "cluster-ip", **ON_NODE}, ""),
        ({"probe": "service_reachability", "path": "cluster-ip"}, "cluster-ip from the harness"),
        ({"probe": "service_reachability", "path": "pod:2"}, "by path pod:2 from the harness"),
        ({"probe": "dns_query", "path": "dns", **ON_NODE}, ""),
        ({"probe": "dns_query", "path": "dns:1"}, "by path dns:1 from the harness"),
        (
            {"probe": "dns_query", "path": "dns", "connection": "reused", **ON_NODE},
            "dns_query with connection: reused",
        ),
    ],
)
def test_a_way_that_a_probe_cannot_be_asked_by_is_refused(raw: dict[str, str], why: str) -> None:
    spec = ProbeSpec.model_validate({"connection": "new", "rate_hz": 5, **raw})
    experiment = Experiment.model_construct(probes={"asked": spec})
    if not why:
        check_probes(experiment)
        return
    with pytest.raises(SpecError, match=f"probe asked: .*{why}"):
        check_probes(experiment)


@pytest.mark.parametrize("path", ["kubernetes", "cluster-ip", "pod", "pod:3", "dns", "dns:1"])
def test_where_the_cluster_decides_there_is_no_address_yet(path: str) -> None:
    assert is_inside(path)
    assert endpoint(path, cluster=CLUSTER) == NOWHERE


@pytest.mark.parametrize("path", ["pod:0", "pod:x", "dns:", "kubernetes:1", "cluster-ip:1", "Pod"])
def test_no_such_path(path: str) -> None:
    raw = {"probe": "x", "path": path, "connection": "new", "rate_hz": 5}
    with pytest.raises(ValueError, match="cluster-ip, pod:<number>"):
        ProbeSpec.model_validate(raw)


def test_a_dns_question_shows_nobody_our_identity() -> None:
    raw = {"probe": "dns_query", "path": "dns", "connection": "new", "rate_hz": 5, **ON_NODE}
    spec = ProbeSpec.model_validate(raw)
    plan = plan_probe(spec, cluster=CLUSTER, credentials=CREDENTIALS)
    assert plan.credentials is None
    assert plan.looks_up == "kubernetes.default.svc.cluster.local"


def test_secrets_do_not_show() -> None:
    assert "SECRET" not in repr(plan())


def test_every_probe_is_listed_under_its_own_name() -> None:
    assert all(name == question.name and question.summary for name, question in PROBES.items())


def test_the_service_is_asked_in_plain_at_its_node_port() -> None:
    spec = ProbeSpec(probe="service_reachability", path="service", connection="new", rate_hz=20)
    plan = plan_probe(spec, cluster=CLUSTER, credentials=CREDENTIALS)
    assert (plan.host, plan.port) == ("10.0.0.21", 30777)
    assert plan.credentials is None, "our identity is not for a pod's eyes"
    named = spec.model_copy(update={"path": "service:cp1"})
    assert plan_probe(named, cluster=CLUSTER, credentials=CREDENTIALS).host == "10.0.0.11"


def test_a_node_port_of_a_node_that_is_not_there() -> None:
    with pytest.raises(RefusedError, match="no such node"):
        endpoint("service:w9", cluster=CLUSTER)
