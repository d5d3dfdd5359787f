"""Target words: who is meant, what is refused, and what has moved since."""

from __future__ import annotations

import pytest

from quorate.harness.errors import RefusedError
from quorate.harness.model.cluster import Cluster
from quorate.harness.run.targets import Facts, Targets, check_quorum, resolve

FACTS = Facts(vip_holder="cp2", etcd_leader="cp3")


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
    targets = Targets({"vip-holder": ("cp2",)}, FACTS, cluster, seed=1)
    assert targets.moved("vip-holder", facts=FACTS) is None
    moved = targets.moved("vip-holder", facts=Facts("cp1", "cp3"))
    assert moved is not None
    assert moved.nodes["vip-holder"] == ("cp1",)


def test_one_of_many_stays_while_it_still_fits(cluster: Cluster) -> None:
    targets = Targets({"etcd-follower": ("cp1",)}, FACTS, cluster, seed=1)
    assert targets.moved("etcd-follower", facts=Facts("cp1", "cp2")) is None
    moved = targets.moved("etcd-follower", facts=Facts("cp1", "cp1"))
    assert moved is not None
    assert moved.nodes["etcd-follower"][0] in ("cp2", "cp3")
