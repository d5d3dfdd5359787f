"""The sampler in a pod: a process behind a proxy, its lines here, whatever API server goes."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from quorate.harness.drivers import kube as kube_module
from quorate.harness.drivers import tunnel as tunnel_module
from quorate.harness.drivers.kube import KubeDriver
from quorate.harness.drivers.kube_api import KubeApi
from quorate.harness.drivers.kubeconfig import KubeCredentials
from quorate.harness.drivers.sampler_pod import FILES, SamplerPod, SamplerPodDriver
from quorate.harness.errors import ProbeError, RefusedError
from quorate.harness.model.cluster import Cluster
from quorate.harness.model.probe_plan import ProbePlan
from quorate.harness.sampling import far as far_module
from quorate.harness.sampling import pod as pod_module
from quorate.harness.sampling.pod import PodSampler
from quorate.harness.store.run_directory import RunDirectory
from tests.contract.sampling.nodes import until
from tests.contract.sampling.proxying import ProxyingServer

Make = Callable[..., ProbePlan]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


class Kubelet:
    """Runs the pod's command as a process here; two API servers, both of which reach it."""

    def __init__(self, folder: Path, pki: Path) -> None:
        self.folder = folder
        self.port_number = free_port()
        self.servers = [ProxyingServer(pki, port=self.port_number) for _ in range(2)]
        self.process: subprocess.Popen[bytes] | None = None

    def make(self, pod: SamplerPod) -> None:
        for name, data in pod.files.items():
            (self.folder / name).write_bytes(data)
        argv = [word.replace(FILES, str(self.folder)) for word in pod.argv]
        self.process = subprocess.Popen([sys.executable, *argv[1:]], start_new_session=True)

    def kill(self) -> None:
        """All of it, as when a container ends."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def show(self, pod: dict[str, Any] | None) -> None:
        """What the API servers say of the pod, and of all else."""
        for server in self.servers:
            server.pod = pod


class Pods(SamplerPodDriver):
    """The driver, but that no kubelet is told: what it would start is started here."""

    kubelet: Kubelet

    def make(self, pod: SamplerPod) -> None:
        self.kubelet.make(pod)


@pytest.fixture
def kubelet(tmp_path: Path, pki: Path) -> Iterator[Kubelet]:
    folder = tmp_path / "pod"
    folder.mkdir()
    made = Kubelet(folder, pki)
    yield made
    made.kill()
    for server in made.servers:
        server.close()


CLUSTER = Cluster.model_validate(
    {
        "format": 1,
        "name": "c",
        "kubeconfig": "kubeconfig",
        "virtual_ip": {"address": "192.0.2.100", "port": 8443},
        "nodes": [
            {"name": f"cp{n}", "address": f"192.0.2.{n}", "roles": ["control-plane", "etcd"]}
            for n in (1, 2)
        ],
    }
)


@pytest.fixture
def pods(kubelet: Kubelet, pki: Path, monkeypatch: pytest.MonkeyPatch) -> SamplerPodDriver:
    """By way of two API servers on this machine, told apart by their ports."""
    addresses = [node.address for node in CLUSTER.nodes]
    ports = dict(zip(addresses, [server.port for server in kubelet.servers], strict=True))

    def connection(host: str, port: int, **more: Any) -> Any:
        return http.client.HTTPSConnection("127.0.0.1", ports[host], **more)

    client = SimpleNamespace(**{**vars(http.client), "HTTPSConnection": connection})
    monkeypatch.setattr(kube_module, "http", SimpleNamespace(client=client))
    monkeypatch.setattr(pod_module, "PORT", kubelet.port_number)
    monkeypatch.setattr(pod_module, "BUFFER", str(kubelet.folder))
    credentials = KubeCredentials(
        ca=(pki / "ca.pem").read_bytes(),
        certificate=(pki / "client.pem").read_bytes(),
        key=(pki / "client.key").read_bytes(),
    )
    kube = KubeDriver(CLUSTER, credentials=credentials)
    made = Pods(CLUSTER, kube=kube, api=KubeApi(kube.servers))
    made.kubelet = kubelet
    return made


WORD = "pod:w1"


@pytest.fixture
def sampler(run: RunDirectory, pods: SamplerPodDriver, plan: Make) -> PodSampler:
    return PodSampler(run, {"api": plan()}, vantage=WORD, mark="m-1", reach=(pods, "w1"))


def lines(run: RunDirectory) -> list[dict[str, Any]]:
    file = run.samples_file("api")
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def is_whole(seen: list[dict[str, Any]]) -> bool:
    """Whether none is lost and none came twice."""
    return sorted(one["k"] for one in seen) == list(range(len(seen)))


def test_its_samples_come_while_it_runs_and_by_the_run_s_own_clock(
    run: RunDirectory, sampler: PodSampler
) -> None:
    sampler.look()
    sampler.start(lasts_s=60.0)
    began = run.now()
    until(lambda: len(lines(run)) >= 50)
    assert sampler.heard() == pytest.approx(run.now(), abs=0.5)
    said = sampler.stop()
    assert said["complete"], said
    seen = lines(run)
    assert is_whole(seen)
    assert [one["o"] for one in seen].count("OK") > 0.9 * len(seen)
    assert began - 1.0 < seen[0]["due"] < began + 0.1
    clock = said["clock"]
    assert isinstance(clock, dict)
    # One machine, one clock: what was measured must not differ from nothing by more than it says.
    assert abs(clock["offset_s"]) <= clock["uncertainty_s"] < 0.1
    assert run.timeline().last("vantage_clock") is not None


@pytest.mark.parametrize("how", ["cut", "deaf"])
def test_another_api_server_takes_over(
    run: RunDirectory,
    sampler: PodSampler,
    kubelet: Kubelet,
    monkeypatch: pytest.MonkeyPatch,
    how: str,
) -> None:
    monkeypatch.setattr(tunnel_module, "SILENT_S", 1.5)
    sampler.start(lasts_s=60.0)
    until(lambda: len(lines(run)) >= 10)
    if how == "cut":
        kubelet.servers[0].cut()
    else:
        kubelet.servers[0].is_deaf = True  # as where its machine lost its power: no FIN
    before = len(lines(run))
    until(lambda: len(lines(run)) > before + 150)
    said = sampler.stop()
    assert said["complete"], said
    assert said["links_lost"] == 1
    assert is_whole(lines(run))
    asked = [path for path in kubelet.servers[1].asked if path.endswith("/feed")]
    assert len(asked) == 1


def test_what_no_api_server_passed_on_is_collected_afterwards(
    run: RunDirectory, sampler: PodSampler, kubelet: Kubelet
) -> None:
    sampler.start(lasts_s=60.0)
    until(lambda: len(lines(run)) >= 10)
    for server in kubelet.servers:
        server.cut()
    time.sleep(0.3)
    before, heard = len(lines(run)), sampler.heard()
    time.sleep(1.5)
    assert len(lines(run)) == before, "nothing can come"
    assert sampler.heard() == heard
    for server in kubelet.servers:
        server.mend()
    until(lambda: len(lines(run)) > before + 75)
    assert sampler.stop()["complete"]
    assert is_whole(lines(run))


@pytest.mark.parametrize(("gone", "why"), [(True, "gone"), (False, "Failed, Evicted")])
def test_what_died_with_the_pod_is_missing(
    run: RunDirectory, sampler: PodSampler, kubelet: Kubelet, gone: bool, why: str
) -> None:
    sampler.start(lasts_s=60.0)
    until(lambda: len(lines(run)) >= 10)
    kubelet.kill()
    kubelet.show(None if gone else {"status": {"phase": "Failed", "reason": "Evicted"}})
    until(lambda: sampler.feed.problem)
    said = sampler.stop()
    assert not said["complete"]
    assert why in str(said["problem"])


def test_a_pod_that_cannot_be_reached_at_the_end_is_given_up(
    sampler: PodSampler, kubelet: Kubelet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(far_module, "COLLECT_S", 0.1)
    monkeypatch.setattr(far_module, "STOP_MARGIN_S", 0.1)
    sampler.start(lasts_s=60.0)
    for server in kubelet.servers:
        server.cut()
    said = sampler.stop()
    assert not said["complete"]
    assert "could not be reached" in str(said["problem"])


def test_it_ends_by_itself_at_its_deadline(
    run: RunDirectory, sampler: PodSampler, kubelet: Kubelet
) -> None:
    sampler.start(lasts_s=1.0)
    for server in kubelet.servers:
        server.cut()
    time.sleep(1.5)
    for server in kubelet.servers:
        server.mend()
    until(lambda: sampler.feed.complete)
    assert sampler.feed.report["ended_by"] == "its deadline"
    assert is_whole(lines(run))


def test_an_image_that_cannot_be_had_is_told_with_its_option(
    sampler: PodSampler, kubelet: Kubelet
) -> None:
    waiting = {"reason": "ErrImagePull", "message": "no such host"}
    states = [{"state": {"waiting": waiting}}]
    kubelet.show({"status": {"phase": "Pending", "containerStatuses": states}})
    with pytest.raises(ProbeError, match=r"python:3 \(service\.sampler_image .*no such host"):
        sampler.start(lasts_s=60.0)


@pytest.mark.parametrize(
    ("phase", "why"),
    [("Pending", "it does not run"), ("Running", "it runs, and the API's proxy says 503")],
)
def test_a_pod_that_never_answers_is_told(
    sampler: PodSampler,
    kubelet: Kubelet,
    pods: SamplerPodDriver,
    monkeypatch: pytest.MonkeyPatch,
    phase: str,
    why: str,
) -> None:
    monkeypatch.setattr(pod_module, "MADE_S", 1.0)
    monkeypatch.setattr(pods, "make", lambda pod: None)
    kubelet.show({"status": {"phase": phase}})
    with pytest.raises(ProbeError, match=f"w1: its pod could not be asked within 1 s: {why}"):
        sampler.start(lasts_s=60.0)


def test_a_node_that_the_api_does_not_know_is_refused(
    sampler: PodSampler, kubelet: Kubelet
) -> None:
    kubelet.show(None)
    with pytest.raises(RefusedError, match="the API knows no node w1"):
        sampler.look()


def test_who_does_not_know_the_token_is_told_nothing(
    sampler: PodSampler, pods: SamplerPodDriver
) -> None:
    sampler.start(lasts_s=60.0)
    port = pods.port("quorate-m-1")
    for word in ("there", "begin/0", "feed", ""):
        assert port.ask(f"/{'0' * 32}/{word}").status == 404
    assert port.open(f"/{'0' * 32}/feed").ended
    sampler.stop()
