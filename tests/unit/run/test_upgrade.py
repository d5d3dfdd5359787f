"""A rolling upgrade: the order of its steps, and what becomes of one that ends early."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from quorate.harness.errors import SpecError, UsageError
from quorate.harness.model.cluster import HARNESS, Cluster
from quorate.harness.run import shipped, upgrade
from quorate.harness.store.run_directory import ExperimentSource
from quorate.harness.transport import MemoryTransport, Reply

RECIPE = upgrade.Recipe("v1.37.2", before_node="./bring {node} {version}")


def titles(cluster: Cluster, recipe: upgrade.Recipe) -> list[str]:
    return [step.title for step in upgrade.steps(cluster, recipe)]


def test_control_planes_come_first_and_workers_are_drained(cluster: Cluster) -> None:
    told = titles(cluster, RECIPE)
    kubeadm = [one for one in told if one.startswith("kubeadm")]
    assert [one.rpartition(" ")[2] for one in kubeadm] == ["cp1", "cp2", "cp3", "w1"]
    assert [one for one in told if "drain" in one or "cordon" in one] == ["drain w1", "uncordon w1"]
    assert told[-1] == "w1 is back, and all is well"
    assert told.index("drain w1") < told.index("kubeadm upgrade on w1") < told.index("uncordon w1")


def test_one_applies_and_the_others_follow(cluster: Cluster) -> None:
    argvs = {s.title: s.argv for s in upgrade.steps(cluster, RECIPE)}
    apply = ("kubeadm", "upgrade", "apply", "--yes", "v1.37.2")
    assert argvs["kubeadm upgrade on cp1"] == apply
    assert argvs["kubeadm upgrade on cp2"] == ("kubeadm", "upgrade", "node")
    assert argvs["bring v1.37.2 to cp2"] == ("./bring", "cp2", "v1.37.2")


def test_only_the_nodes_that_are_named(cluster: Cluster) -> None:
    recipe = upgrade.Recipe("v1.37.2", nodes=("w1", "cp3"))
    told = titles(cluster, recipe)
    assert [one for one in told if one.startswith("kubeadm")] == [
        "kubeadm upgrade on cp3",
        "kubeadm upgrade on w1",
    ]
    assert not any(one.startswith("bring") for one in told)
    with pytest.raises(UsageError, match="--node lb1: kubeadm upgrades cp1, cp2, cp3, w1"):
        upgrade.steps(cluster, upgrade.Recipe("v1.37.2", nodes=("lb1",)))


def test_the_steps_can_be_pasted(cluster: Cluster) -> None:
    text = upgrade.told(upgrade.steps(cluster, RECIPE))
    assert "beside quorate: ./bring cp1 v1.37.2" in text
    assert "on cp1: kubeadm upgrade apply --yes v1.37.2" in text


class Clock:
    """It goes on only when somebody sleeps."""

    def __init__(self) -> None:
        self.t = 0.0

    def now(self) -> float:
        return self.t

    def sleep(self, seconds: float) -> None:
        self.t += seconds


class Kube:
    """Nodes that report a version, and are ready."""

    def __init__(self, version: str, *, ready: bool = True) -> None:
        self.version, self.ready = version, ready

    def node_versions(self) -> dict[str, dict[str, str]]:
        return {name: {"kubelet version": self.version} for name in ("cp1", "cp2", "cp3", "w1")}

    def nodes_ready(self) -> dict[str, bool]:
        return {"w1": self.ready}

    def is_ready(self, _node: object) -> bool:
        return True


def done(
    cluster: Cluster, transport: MemoryTransport, kube: Kube, *, nodes: Sequence[str] = ()
) -> tuple[upgrade.Upgrade, list[str]]:
    """An upgrade that has gone as far as it goes, and what it said."""
    recipe = upgrade.Recipe("v1.37.2", nodes=tuple(nodes))
    parts: Any = SimpleNamespace(cluster=cluster, transport=transport, kube=kube, clock=Clock())
    said: list[str] = []
    work = upgrade.Upgrade(parts, recipe, upgrade.steps(cluster, recipe), say=said.append)
    work.start()
    work.stop()
    return work, said


@pytest.fixture
def transport() -> MemoryTransport:
    memory = MemoryTransport()
    for words in (("kubectl",), ("kubeadm",), ("systemctl",)):
        memory.on(*words, reply=Reply(""))
    return memory


def ran(transport: MemoryTransport) -> list[str]:
    return [f"{call.node}: {' '.join(call.argv[:3])}" for call in transport.calls]


def test_a_step_that_fails_is_the_last_and_the_cordon_comes_off(
    cluster: Cluster, transport: MemoryTransport
) -> None:
    transport.on("kubeadm", "upgrade", reply=Reply("", returncode=1))
    work, _ = done(cluster, transport, Kube("v1.37.2"), nodes=["w1"])
    assert "kubeadm upgrade on w1" in work.problem
    assert [call.argv[2] for call in transport.calls if call.argv[0] == "kubectl"] == [
        "drain",
        "uncordon",
    ]


def test_a_node_that_does_not_come_back_ends_it(
    cluster: Cluster, transport: MemoryTransport
) -> None:
    work, _ = done(cluster, transport, Kube("v1.36.3"), nodes=["cp1", "cp2"])
    assert "cp1 reports v1.36.3, not v1.37.2" in work.problem
    assert not any(call.node == "cp2" for call in transport.calls)


def test_a_cluster_that_is_not_well_ends_it(cluster: Cluster, transport: MemoryTransport) -> None:
    work, _ = done(cluster, transport, Kube("v1.37.2", ready=False), nodes=["cp1", "cp2"])
    assert "not within 300 s: kubelet of w1" in work.problem


@pytest.mark.parametrize("when", ["before", "after"])
def test_told_to_end_it_begins_nothing_more(
    cluster: Cluster, transport: MemoryTransport, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The step under way is waited for; a cordon is taken off."""
    check: Callable[..., Any] = transport.check

    def told(node: str, argv: Sequence[str], **kwargs: Any) -> Any:
        if "drain" in argv and when == "after":
            work._ending.set()
        return check(node, argv, **kwargs)

    monkeypatch.setattr(transport, "check", told)
    recipe = upgrade.Recipe("v1.37.2", nodes=("w1",))
    parts: Any = SimpleNamespace(
        cluster=cluster, transport=transport, kube=Kube("v1.37.2"), clock=Clock()
    )
    work = upgrade.Upgrade(parts, recipe, upgrade.steps(cluster, recipe), say=lambda _: None)
    if when == "before":
        work._ending.set()
    work.start()
    work.stop()
    assert "no undo" in work.problem
    verbs = [call.argv[2] for call in transport.calls]
    assert verbs == ([] if when == "before" else ["drain", "uncordon"])


def test_all_of_it(cluster: Cluster, transport: MemoryTransport) -> None:
    work, said = done(cluster, transport, Kube("v1.37.2"))
    assert work.problem == ""
    assert len(said) == len(work.steps)
    assert not any(call.node == HARNESS for call in transport.calls)


# --- the experiment that it plays


def shipped_one(name: str = "upgrade_rolling") -> ExperimentSource:
    return ExperimentSource.read(shipped.find(name))


def test_it_plays_the_file_under_its_own_title() -> None:
    source = shipped_one()
    document = upgrade.document_of(source, version="v1.37.2")
    written = yaml.safe_load(source.text)
    assert document["title"] == "What clients saw of an upgrade to v1.37.2"
    assert document["extensions"] == written["extensions"], "bounds are the file's"
    assert document["method"] == written["method"]
    longer = upgrade.document_of(source, version="v1.37.2", at_most_s=9000)
    assert longer["method"][0]["provider"]["arguments"]["at_most_s"] == 9000


def test_an_experiment_without_an_upgrade_is_not_played(root: Path) -> None:
    other = ExperimentSource.read(root / "experiments" / "controls" / "nothing_happens.yaml")
    with pytest.raises(UsageError, match=r"nothing_happens.yaml: .*quorate new upgrade_rolling"):
        upgrade.document_of(other, version="v1.37.2")
    text = shipped_one().text.replace("at_most: 1800", "at_mst: 1800")
    with pytest.raises(SpecError, match=r"mine.yaml:\d+: .*at_mst"):
        upgrade.document_of(ExperimentSource(text, "mine.yaml"), version="v1.37.2")


def test_of_the_control_planes_it_upgrades_only_these(cluster: Cluster) -> None:
    document = upgrade.document_of(shipped_one("upgrade_control_planes"), version="v1.37.2")
    assert upgrade.nodes_of(document, cluster=cluster) == ("cp1", "cp2", "cp3")
    whole = upgrade.document_of(shipped_one(), version="v1.37.2")
    assert upgrade.nodes_of(whole, cluster=cluster) == ()


def test_what_it_upgraded_is_what_it_proves(cluster: Cluster, transport: MemoryTransport) -> None:
    asked: list[Any] = []
    run: Any = SimpleNamespace(
        versions=SimpleNamespace(proof=lambda *, nodes: asked.append(set(nodes)) or (True, "new")),
        directory=SimpleNamespace(append_event=lambda *_, **data: asked.append(data)),
    )
    work, _ = done(cluster, transport, Kube("v1.37.2"), nodes=["cp2", "w1"])
    work.prove(run)
    assert asked == [{"cp2", "w1"}, {"ok": True, "evidence": "new"}]
    work.problem = "drain w1: refused"
    work.prove(run)
    assert asked[-1] == {"ok": False, "evidence": "drain w1: refused"}
