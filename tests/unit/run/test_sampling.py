"""The sampling of a run: paths that the cluster decides on get their addresses at the start."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from quorate.harness.model.cluster import Cluster
from quorate.harness.model.probe_plan import ProbePlan
from quorate.harness.model.probe_spec import ProbeSpec
from quorate.harness.run import sampling
from quorate.harness.run.vantages import Reach
from quorate.harness.transport import MemoryTransport
from quorate.probes.catalogue import Endpoint


class Vantages:
    def __init__(self, *_: Any, **__: Any) -> None:
        self.placed: dict[str, ProbePlan] = {}
        self.started = False

    def probes(self, word: str) -> list[str]:
        return ["dns", "inside"]

    def place(self, plans: Mapping[str, ProbePlan]) -> None:
        assert not self.started
        self.placed = dict(plans)

    def heard(self, probe: str) -> float | None:
        return None

    def start(self, *, lasts_s: float) -> None:
        self.started = True


class Sampler:
    def __init__(self, directory: Any, plans: Mapping[str, ProbePlan]) -> None:
        self.plans = plans

    def start(self) -> None: ...


def spec(probe: str, path: str, **more: str) -> ProbeSpec:
    raw = {"probe": probe, "path": path, "connection": "new", "rate_hz": 5, **more}
    return ProbeSpec.model_validate(raw)


def test_what_the_cluster_decides_on_is_found_at_the_start_and_written_down(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampling, "Vantages", Vantages)
    monkeypatch.setattr(sampling, "Sampler", Sampler)
    monkeypatch.setattr(sampling, "LiveView", lambda *_, **__: None)
    monkeypatch.setattr(sampling, "worst_case_s", lambda experiment: 60.0)
    away = {"from": "node:first-worker"}
    probes = {
        "api": spec("api_quorum_read", "vip"),
        "dns": spec("dns_query", "dns:1", **away),
        "inside": spec("api_quorum_read", "kubernetes", **away),
    }
    experiment = SimpleNamespace(
        probes=probes,
        vantages=("node:first-worker",),
        deadlines_s=lambda name: (1.0,),
        hard_timeout_s=lambda name: 5.0,
    )
    asked: list[str] = []

    def places(paths: Collection[str]) -> Mapping[str, Endpoint]:
        asked.extend(paths)
        return {"dns:1": Endpoint("10.0.1.1", 53), "kubernetes": Endpoint("10.96.0.1", 443)}

    events: list[dict[str, Any]] = []
    one: Any = SimpleNamespace(ca=b"CA", certificate=b"C", key=b"K", token="")
    nobody: Any = None  # no pod is asked from
    ledger: Any = SimpleNamespace(registers_for=lambda name: (), plans=lambda client: {})
    directory: Any = SimpleNamespace(append_event=lambda kind, **data: events.append(data))
    request: Any = SimpleNamespace(experiment=experiment, cluster=cluster)
    made = sampling.Sampling(
        directory,
        request=request,
        credentials=one,
        ledger=ledger,
        reach=Reach(MemoryTransport(), lambda undo, take: None, places, nobody),
    )
    assert not asked, "the service under watch is not there yet"
    made.start()
    assert asked == ["dns:1", "kubernetes"]
    vantages: Any = made._vantages
    placed = {name: (plan.host, plan.port) for name, plan in vantages.placed.items()}
    assert placed == {"dns": ("10.0.1.1", 53), "inside": ("10.96.0.1", 443)}
    assert "Host: 10.96.0.1:443\r\n" in vantages.placed["inside"].requests[0]
    assert events == [
        {"probe": "dns", "path": "dns:1", "address": "10.0.1.1", "port": 53},
        {"probe": "inside", "path": "kubernetes", "address": "10.96.0.1", "port": 443},
    ]
