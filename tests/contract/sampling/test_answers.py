"""Each probe of the API against a server in this process that answers rightly, wrongly, late, half
and not at all: what the samples say, and what the server was asked to keep."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from quorate.harness.model.cluster import Cluster
from quorate.harness.model.probe_plan import ClientCredentials
from quorate.harness.model.probe_spec import ProbeSpec
from quorate.harness.model.timeline import FAILED, OK, SampleSeries
from quorate.harness.sampling.sampler import Sampler
from quorate.harness.store.run_directory import RunDirectory
from quorate.probes.catalogue import PROBES, plan_probe
from tests.contract.sampling.answering import LATE_S, Answering
from tests.contract.sampling.outcomes import outcomes

CLUSTER = Cluster.model_validate(
    {
        "format": 1,
        "name": "c",
        "kubeconfig": Path("kubeconfig"),
        "virtual_ip": {"address": "127.0.0.1", "port": 1},
        "nodes": [{"name": "cp1", "address": "127.0.0.1", "roles": ["control-plane"]}],
    }
)
TIMEOUT_S = 0.4


Asked = Callable[..., tuple[SampleSeries, Answering]]


@pytest.fixture
def asked(run: RunDirectory) -> Iterator[Asked]:
    servers = []

    def ask(probe: str, *, way: str, connection: str = "reused") -> tuple[SampleSeries, Answering]:
        api = Answering(way)
        servers.append(api)
        raw = {"probe": probe, "path": "apiserver", "connection": connection, "rate_hz": 20}
        spec = ProbeSpec.model_validate(raw)
        plan = plan_probe(spec, cluster=CLUSTER, credentials=ClientCredentials(""))
        plan = replace(plan, port=api.port, credentials=None, hard_timeout_s=TIMEOUT_S)
        with Sampler(run, {"asked": plan}):
            time.sleep(0.5)
        return run.timeline().series["asked"], api

    yield ask
    for server in servers:
        server.close()


API_PROBES = sorted(name for name, question in PROBES.items() if question.of == "api")


@pytest.mark.parametrize("probe", API_PROBES)
@pytest.mark.parametrize(
    ("way", "expected"),
    [
        ("right", {(OK, "")}),
        ("wrong status", {(FAILED, "status 503")}),
        ("wrong body", {(FAILED, "body")}),
        ("half", {(FAILED, "eof")}),
    ],
)
def test_an_answer_is_told_for_what_it_is(
    asked: Asked, probe: str, way: str, expected: set[tuple[int, str]]
) -> None:
    series, _ = asked(probe, way=way)
    assert len(series) >= 5
    assert outcomes(series) == expected


@pytest.mark.parametrize("probe", API_PROBES)
def test_no_answer_is_a_timeout(asked: Asked, probe: str) -> None:
    series, _ = asked(probe, way="silent", connection="new")
    assert outcomes(series) == {(FAILED, "timeout")}


@pytest.mark.parametrize("probe", API_PROBES)
def test_a_late_answer_is_ok_that_late(asked: Asked, probe: str) -> None:
    series, _ = asked(probe, way="late", connection="new")
    assert outcomes(series) == {(OK, "")}
    took_s = [end - due for due, end in zip(series.due, series.end, strict=True)]
    assert min(took_s) >= LATE_S * 0.95


@pytest.mark.parametrize("connection", ["new", "reused"])
def test_nothing_is_asked_to_be_kept(asked: Asked, connection: str) -> None:
    """Whole requests, also one behind the other on one connection, and none without dryRun."""
    series, api = asked("api_dry_run_create", way="right", connection=connection)
    assert len(api.asked) == series.outcome.count(OK)
    for first, _, body in api.asked:
        assert first.split()[:2] == ["POST", "/api/v1/namespaces/kube-system/configmaps?dryRun=All"]
        assert json.loads(body)["metadata"]["generateName"] == "quorate-dry-run-"
