"""Target words: who is meant, what is refused, and what has moved since."""

from __future__ import annotations

import pytest

from quorate.harness.errors import RefusedError
from quorate.harness.model.cluster import Cluster, Limits
from quorate.harness.model.experiment import Activity, Experiment
from quorate.harness.run.limits import check_limits, check_quorum
from quorate.harness.run.targets import Facts, Targets, resolve

FACTS = Facts(vip_holder="cp2", etcd_leader="cp3", running={"app=web": ("w1",)})


def experiment(*steps: str, given: tuple[str, ...] = (), beyond: bool = False) -> Experiment:
    """A method of power-offs of these targets; `undo` stands for itself."""
    return Experiment(
        title="",
        description="",
        tags=(),
        method=tuple(
            Activity(
                name=step,
                kind="undo" if step == "undo" else "fault",
                module="quorate.faults",
                func="undo" if step == "undo" else "node_power_off",
                arguments={} if step == "undo" else {"target": step},
            )
            for step in steps
        ),
        given=given,
        baseline_s=15,
        probes={},
        objectives=(),
        abort_when=None,
        beyond_tolerance=beyond,
    )


@pytest.mark.parametrize(
    ("word", "allowed"),
    [
        ("vip-holder", {"cp2"}),
        ("etcd-leader", {"cp3"}),
        ("etcd-follower", {"cp1", "cp2"}),
        ("control-plane:any", {"cp1", "cp2", "cp3"}),
        ("control-plane:not-vip-holder", {"cp1", "cp3"}),
        ("worker:any", {"w1"}),
        ("node:cp1", {"cp1"}),
        ("worker:running=app=web", {"w1"}),
    ],
)
def test_words(cluster: Cluster, word: str, allowed: set[str]) -> None:
    seen = {resolve(word, cluster=cluster, facts=FACTS, seed=seed)[0] for seed in range(40)}
    assert seen == allowed, "every one that may be meant is chosen by some seed, and no other"


def test_a_choice_can_be_repeated(cluster: Cluster) -> None:
    chosen = [resolve("control-plane:any", cluster=cluster, facts=FACTS, seed=7) for _ in range(5)]
    assert len(set(chosen)) == 1


@pytest.mark.parametrize("word", ["vip-holder", "etcd-follower", "control-plane:not-vip-holder"])
def test_nobody_known_is_refused(cluster: Cluster, word: str) -> None:
    with pytest.raises(RefusedError, match="nobody"):
        resolve(word, cluster=cluster, facts=Facts(None, None), seed=1)


@pytest.mark.parametrize(
    ("word", "says"), [("the-holder", "vip-holder, etcd-leader"), ("node:cp9", "cp1, cp2, cp3, w1")]
)
def test_an_unknown_target_is_refused_with_what_there_is(
    cluster: Cluster, word: str, says: str
) -> None:
    with pytest.raises(RefusedError, match=says):
        resolve(word, cluster=cluster, facts=FACTS, seed=1)


def test_the_quorum_is_kept(cluster: Cluster) -> None:
    check_quorum(cluster, down=["cp1"])
    check_quorum(cluster, down=["w1"])
    with pytest.raises(RefusedError, match="leaves 1 of 3 etcd members, quorum needs 2"):
        check_quorum(cluster, down=["cp1", "cp2"])


def test_a_holder_that_moved_is_resolved_again(cluster: Cluster) -> None:
    targets, played = Targets({"vip-holder": ("cp2",)}, FACTS, cluster, seed=1), experiment()
    assert targets.moved("vip-holder", experiment=played, facts=FACTS) is None
    moved = targets.moved("vip-holder", experiment=played, facts=Facts("cp1", "cp3"))
    assert moved is not None
    assert moved.nodes["vip-holder"] == ("cp1",)


def test_one_of_many_stays_while_it_still_fits(cluster: Cluster) -> None:
    targets, played = Targets({"etcd-follower": ("cp1",)}, FACTS, cluster, seed=1), experiment()
    assert targets.moved("etcd-follower", experiment=played, facts=Facts("cp1", "cp2")) is None
    moved = targets.moved("etcd-follower", experiment=played, facts=Facts("cp1", "cp1"))
    assert moved is not None
    assert moved.nodes["etcd-follower"][0] in ("cp2", "cp3")


@pytest.mark.parametrize(
    ("word", "nodes"),
    [
        ("control-plane:all", ("cp1", "cp2", "cp3")),
        ("etcd:all", ("cp1", "cp2", "cp3")),
        ("worker:all", ("w1",)),
        ("node:cp3,cp1", ("cp3", "cp1")),
    ],
)
def test_some_words_stand_for_several(cluster: Cluster, word: str, nodes: tuple[str, ...]) -> None:
    assert resolve(word, cluster=cluster, facts=FACTS, seed=1) == nodes


def test_more_nodes_at_once_than_allowed_are_refused(cluster: Cluster) -> None:
    nodes = {"vip-holder": ("cp2",), "worker:any": ("w1",)}
    check_limits(experiment("vip-holder", "undo", "worker:any"), cluster=cluster, nodes=nodes)
    with pytest.raises(RefusedError, match=r"cp2, w1 .* allows 1 .*beyond_tolerance: true"):
        check_limits(experiment("vip-holder", "worker:any"), cluster=cluster, nodes=nodes)
    more = cluster.model_copy(update={"limits": Limits(nodes_at_once=2)})
    check_limits(experiment("vip-holder", "worker:any"), cluster=more, nodes=nodes)


def test_the_quorum_is_broken_only_by_one_that_says_so(cluster: Cluster) -> None:
    more = cluster.model_copy(update={"limits": Limits(nodes_at_once=3)})
    nodes = {"node:cp1,cp2": ("cp1", "cp2")}
    with pytest.raises(RefusedError, match="leaves 1 of 3 etcd members"):
        check_limits(experiment("node:cp1,cp2"), cluster=more, nodes=nodes)
    check_limits(experiment("node:cp1,cp2", beyond=True), cluster=more, nodes=nodes)


def test_a_cluster_may_demand_more_api_servers_than_the_quorum(cluster: Cluster) -> None:
    strict = cluster.model_copy(update={"limits": Limits(healthy_control_planes=3)})
    with pytest.raises(RefusedError, match="leaves 2 of 3 API servers"):
        check_limits(experiment("vip-holder"), cluster=strict, nodes={"vip-holder": ("cp2",)})


def test_pods_that_are_only_arranged_for_are_looked_for_later(cluster: Cluster) -> None:
    word = "worker:running=app=late"
    with pytest.raises(RefusedError, match="no worker runs a pod"):
        Targets.resolve(experiment(word), cluster=cluster, facts=FACTS, seed=1)
    late = experiment(word, given=("service_deployed",))
    targets = Targets.resolve(late, cluster=cluster, facts=FACTS, seed=1)
    assert targets.nodes[word] == ()
    with pytest.raises(RefusedError, match="no worker runs a pod"):
        targets.moved(word, experiment=late, facts=FACTS)
    there = Facts("cp2", "cp3", {"app=late": ("w1",)})
    moved = targets.moved(word, experiment=late, facts=there)
    assert moved is not None
    assert moved.nodes[word] == ("w1",)


def test_a_leader_by_lease_is_the_node_that_holds_it(cluster: Cluster) -> None:
    facts = Facts("cp1", "cp2", leases={"scheduler-leader": "cp3"})
    assert resolve("scheduler-leader", cluster=cluster, facts=facts, seed=1) == ("cp3",)
    with pytest.raises(RefusedError, match="controller-manager-leader"):
        resolve("controller-manager-leader", cluster=cluster, facts=facts, seed=1)
