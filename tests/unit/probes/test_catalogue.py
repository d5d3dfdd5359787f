from __future__ import annotations

from pathlib import Path

import pytest

from quorate.harness.errors import RefusedError
from quorate.harness.model.cluster import Cluster
from quorate.harness.model.experiment import ProbeSpec
from quorate.harness.model.probe_plan import ClientCredentials, ProbePlan
from quorate.harness.model.register import Register
from quorate.probes.catalogue import PROBES, endpoint, plan_probe

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
    ],
)
def test_path_words(path: str, expected: tuple[str, int]) -> None:
    assert endpoint(path, cluster=CLUSTER) == expected


@pytest.mark.parametrize("path", ["haproxy:w1", "apiserver:w1", "apiserver:cp9"])
def test_a_path_to_no_such_node_is_refused(path: str) -> None:
    with pytest.raises(RefusedError, match="there: cp1"):
        endpoint(path, cluster=CLUSTER)


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
