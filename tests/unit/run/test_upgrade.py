"""A rolling upgrade: the order of its steps, and what becomes of one that ends early."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from quorate.harness.errors import UsageError
from quorate.harness.model.cluster import HARNESS, Cluster
from quorate.harness.run import upgrade
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
