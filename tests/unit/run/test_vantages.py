"""Which node a probe is asked from, and what is refused before anything is changed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from quorate.harness.drivers.sampler_pod import SamplerPodDriver
from quorate.harness.errors import RefusedError, SpecError
from quorate.harness.model.cluster import Cluster
from quorate.harness.model.probe_plan import ProbePlan
from quorate.harness.model.probe_spec import ProbeSpec
from quorate.harness.model.strict import checked
from quorate.harness.run.ledger import check_registers
from quorate.harness.run.vantages import Reach, Vantages, vantage_node
from quorate.harness.transport import MemoryTransport, Reply
from tests import paper_lab
from tests.memory_api import MemoryServer

PROBE = {"probe": "api_quorum_read", "path": "vip", "connection": "new", "rate_hz": 10}
PLAN = ProbePlan("10.0.0.1", 8443, "/", "new", 10.0)


def spec(**change: object) -> ProbeSpec:
    return checked({**PROBE, **change}, model=ProbeSpec)


def experiment(**probes: str) -> Any:
    made = {name: spec(**{"from": word}) for name, word in probes.items()}
    words = dict.fromkeys(probes.values())
    return SimpleNamespace(probes=made, vantages=tuple(words))


class Scene:
    def __init__(self, cluster: Cluster, **probes: str) -> None:
        self.transport = MemoryTransport()
        self.server = MemoryServer()
        kube: Any = None  # no pod is talked to here
        self.pods = SamplerPodDriver(cluster, kube=kube, api=self.server.api)
        self.journalled: list[str] = []
        self.events: list[tuple[str, dict[str, object]]] = []
        directory: Any = SimpleNamespace(
            run_id="20260101T000000Z-x-0000",
            base_ns=0,
            samples_file=lambda name: Path(f"/nowhere/{name}"),
            append_event=lambda kind, **data: self.events.append((kind, data)),
        )
        self.plans = dict.fromkeys(probes, PLAN)
        self.vantages = Vantages(
            directory,
            experiment=experiment(**probes),
            cluster=cluster,
            reach=Reach(self.transport, self.hold, lambda paths: {}, self.pods),
        )

    def hold(self, undo: Any, take: Any) -> None:
        self.journalled.append(f"{undo.id} on {undo.node}")


def test_words_stand_for_nodes(cluster: Cluster) -> None:
    workers = [node.name for node in cluster.workers]
    servers = [node.name for node in cluster.control_planes]

    def node(word: str, *targeted: str) -> str:
        return vantage_node(word, cluster=cluster, targeted=targeted)

    assert node("node:first-worker", workers[0]) == workers[0]
    assert node("node:surviving-worker") == workers[0]
    assert node("node:surviving-control-plane", servers[0]) == servers[1]
    assert node(f"node:{servers[2]}", servers[2]) == servers[2], "who names it means it"
    with pytest.raises(RefusedError, match="every such node is the target"):
        node("node:surviving-worker", *workers)
    assert node("pod:first-worker") == node("node:first-worker")
    assert node(f"pod:{servers[2]}") == servers[2]
    with pytest.raises(RefusedError, match=r"no such node; there are .*surviving-worker"):
        node("node:cp9")


@pytest.mark.parametrize("word", ["node:", "nodes:w1", "pod", "pod:", "harness:w1", "node:W1", ""])
def test_a_wrong_word_is_refused_by_the_reader(word: str) -> None:
    with pytest.raises(SpecError) as refused:
        spec(**{"from": word})
    assert refused.value.field == "from"
    assert "node:<node>" in str(refused.value)


def test_who_says_nothing_asks_beside_the_harness() -> None:
    assert spec().vantage == "harness"
    with pytest.raises(SpecError, match="unknown key"):
        spec(vantage="harness")


@pytest.mark.parametrize("probe", ["api_write", "api_watch"])
@pytest.mark.parametrize("word", ["node:w1", "node:surviving-worker", "pod:w1"])
def test_writes_and_watches_come_from_the_harness_alone(probe: str, word: str) -> None:
    far: Any = SimpleNamespace(
        probes={"w": spec(probe=probe, **{"from": word})}, deadlines_s=lambda name: (1,)
    )
    with pytest.raises(SpecError, match=rf"probe w, an {probe} from: {word}"):
        check_registers(far)


@pytest.mark.parametrize(
    "said",
    [
        Reply(returncode=127, stderr="python3: not found"),
        Reply(stdout="[3, 7, true]"),
        Reply(returncode=1, stderr="No module named ssl"),
    ],
)
def test_a_node_that_cannot_is_refused_by_name(cluster: Cluster, said: Reply) -> None:
    name = cluster.workers[0].name
    scene = Scene(cluster, far="node:first-worker")
    scene.transport.on("python3", reply=said)
    with pytest.raises(RefusedError, match=rf"{name} cannot ask probes.*install python3 there"):
        scene.vantages.resolve(scene.plans, targeted=())
    assert not scene.journalled


def test_a_node_that_can_is_written_down_and_only_looked_at(cluster: Cluster) -> None:
    scene = Scene(cluster, far="node:first-worker")
    scene.transport.on("python3", reply=Reply(stdout="[3, 8, true]"))
    scene.vantages.resolve(scene.plans, targeted=())
    name = cluster.workers[0].name
    assert scene.events == [("vantage_resolved", {"vantage": "node:first-worker", "node": name})]
    scene.vantages.start(lasts_s=60.0)
    assert scene.journalled == [f"node:first-worker:sampler on {name}"]
    assert len(scene.transport.calls) == 1, "journalled before anything is done there"


def test_what_had_no_address_gets_one_before_the_start(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: dict[str, dict[str, Any]] = {}

    class Sampler:
        def __init__(self, run: Any, probes: Any, *, vantage: str, mark: str, reach: Any) -> None:
            self._given = made[vantage] = dict(probes)

        def look(self) -> None: ...

        def place(self, probes: Any) -> None:
            self._given |= probes

    monkeypatch.setattr("quorate.harness.run.vantages.NodeSampler", Sampler)
    scene = Scene(cluster, far="node:cp1", near="node:cp2")
    scene.vantages.resolve(scene.plans, targeted=())
    placed = replace(PLAN, host="10.96.0.1")
    scene.vantages.place({"far": placed})
    assert made == {"node:cp1": {"far": placed}, "node:cp2": {"near": PLAN}}


def test_a_pod_is_journalled_before_it_is_made_and_its_secret_too(cluster: Cluster) -> None:
    scene = Scene(cluster, far="pod:first-worker")
    name = cluster.workers[0].name
    with pytest.raises(RefusedError, match=f"the API knows no node {name}"):
        scene.vantages.resolve(scene.plans, targeted=())
    scene.server.objects[f"/api/v1/nodes/{name}"] = {"metadata": {"name": name}}
    scene.vantages.resolve(scene.plans, targeted=())
    scene.vantages.start(lasts_s=60.0)
    assert scene.journalled == [
        "pod:first-worker:secret on harness",
        "pod:first-worker:sampler on harness",
    ]
    assert {method for method, _ in scene.server.asked} == {"GET"}, "nothing is made before"


def test_a_fault_that_moved_to_a_surviving_node_is_refused(cluster: Cluster) -> None:
    scene = Scene(cluster, far="node:surviving-control-plane", named="node:cp1")
    scene.transport.on("python3", reply=Reply(stdout="[3, 11, true]"))
    first, second = (node.name for node in cluster.control_planes[:2])
    scene.vantages.resolve(scene.plans, targeted=[first])
    scene.vantages.demand_not_hit([first])  # named by itself: it is meant
    with pytest.raises(RefusedError, match=f"is {second}, which is to be hit now"):
        scene.vantages.demand_not_hit([second])


def test_no_pod_runs_on_a_machine_without_a_kubelet() -> None:
    apart = paper_lab.cluster(paper_lab.APART)
    assert vantage_node("node:lb1", cluster=apart, targeted=()) == "lb1"
    assert vantage_node("pod:w1", cluster=apart, targeted=()) == "w1"
    with pytest.raises(RefusedError, match=r"there is no such node; there are cp1, .*w3, and"):
        vantage_node("pod:lb1", cluster=apart, targeted=())
