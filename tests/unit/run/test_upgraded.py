"""Somebody's own upgrade: when it is over, what proves it, and what no file may say of it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from quorate.harness.errors import DriverError, SpecError, UsageError
from quorate.harness.faults.contract import LONGEST_LOOK_S
from quorate.harness.model.cluster import Cluster, Node
from quorate.harness.model.experiment import Experiment
from quorate.harness.model.verdict import State
from quorate.harness.run import pace, shipped, upgraded
from quorate.harness.run.components import Key
from quorate.harness.run.durations import worst_case_s
from quorate.harness.run.play import read_experiment, read_source
from quorate.harness.run.suite import Entry, Suite, refuse_upgrades
from quorate.harness.store.run_directory import ExperimentSource

OLD, NEW = "v1.36.3", "v1.37.2"
NODES = ("cp1", "cp2", "cp3", "w1")


class World:
    """What a cluster answers, and how late it is; time passes only when it is told to."""

    def __init__(self, cluster: Cluster, **versions: str) -> None:
        self.versions = {**dict.fromkeys(NODES, OLD), **versions}
        self.servers: dict[str, str] = {}
        """API servers that are not of the version of the kubelet beside them."""
        self.ready = dict.fromkeys(NODES, True)
        self.lacking: tuple[Key, ...] = ()
        self.asked = 0
        self.silent = False
        self.t = 0.0
        self.drivers: Any = SimpleNamespace(
            cluster=cluster, kube=self, clock=SimpleNamespace(now=lambda: self.t)
        )
        self.components: Any = SimpleNamespace(
            lacking=lambda: self.lacking,
            missing=lambda: tuple(f"{key}: down" for key in self.lacking),
        )

    def node_versions(self) -> dict[str, dict[str, str]]:
        self.asked += 1
        if self.silent:
            raise DriverError("no API server answers")
        return {name: {"kubelet version": one} for name, one in self.versions.items()}

    def server_version(self, node: Node) -> str:
        return self.servers.get(node.name, self.versions[node.name])

    def nodes_ready(self) -> dict[str, bool]:
        return self.ready

    def begun(self, name: str = "upgrade_rolling") -> upgraded.Versions:
        experiment = read_experiment(ExperimentSource.read(shipped.find(name)))
        made = upgraded.Versions(self.drivers, components=self.components, experiment=experiment)
        made.begin()
        return made

    def upgrade(self, *nodes: str) -> None:
        self.versions |= dict.fromkeys(nodes or self.versions, NEW)

    def over(self, versions: upgraded.Versions) -> bool:
        self.t += pace.VERSIONS_S
        return versions.over()


def test_it_is_over_when_every_node_reports_the_new_version(cluster: Cluster) -> None:
    world = World(cluster)
    versions = world.begun()
    for node in NODES[:-1]:
        world.upgrade(node)
        assert not world.over(versions), "half of it is not all of it"
    ok, text = versions.proof()
    assert (ok, text) == (
        False,
        f"the upgrade was not over: the nodes report {OLD} (w1), {NEW} (cp1, cp2, cp3)",
    )
    world.upgrade("w1")
    assert world.over(versions)
    assert versions.reached
    assert versions.proof() == (True, f"the nodes report {NEW}; when the run began, {OLD}")


def test_where_nobody_upgrades_there_was_none(cluster: Cluster) -> None:
    world = World(cluster)
    versions = world.begun()
    assert not world.over(versions)
    assert versions.proof() == (
        False,
        f"no upgrade was seen: the nodes report {OLD} as when the run began",
    )


def test_of_one_that_was_begun_before_the_rest_counts(cluster: Cluster) -> None:
    world = World(cluster, cp1=NEW)
    versions = world.begun()
    assert "no upgrade was seen" in versions.proof()[1]
    assert f"{OLD} (cp2, cp3, w1), {NEW} (cp1)" in versions.proof()[1]
    world.upgrade()
    assert world.over(versions)


def test_a_new_machine_of_the_old_version_is_no_upgrade(cluster: Cluster) -> None:
    world = World(cluster)
    versions = world.begun()
    world.versions["w2"] = OLD
    assert not world.over(versions)
    assert "no upgrade was seen" in versions.proof()[1]


def test_a_kubelet_may_be_renewed_before_its_api_server(cluster: Cluster) -> None:
    """As Kubespray does it: it is not over while the last API server is the old one."""
    world = World(cluster)
    versions = world.begun("upgrade_control_planes")
    world.upgrade("cp1", "cp2", "cp3")
    world.servers["cp3"] = OLD
    assert not world.over(versions)
    assert versions.proof() == (
        False,
        f"the upgrade was not over: API servers of another version: that of cp3 {OLD}",
    )
    world.servers.clear()
    assert world.over(versions)


def test_a_node_that_goes_is_no_upgrade_of_the_rest(cluster: Cluster) -> None:
    world = World(cluster, w1=OLD, **dict.fromkeys(NODES[:-1], NEW))
    versions = world.begun()
    del world.versions["w1"]
    assert not world.over(versions)
    assert "no upgrade was seen" in versions.proof()[1]


def test_a_new_worker_of_the_new_version_is_told_too(cluster: Cluster) -> None:
    world = World(cluster)
    versions = world.begun()
    world.upgrade()
    world.versions["w7"] = NEW
    assert world.over(versions)


def test_of_the_control_planes_alone(cluster: Cluster) -> None:
    world = World(cluster)
    versions = world.begun("upgrade_control_planes")
    world.upgrade("w1")
    assert "no upgrade was seen" in versions.proof()[1]
    world.versions["w1"] = OLD
    world.upgrade("cp1", "cp2", "cp3")
    assert world.over(versions)
    assert not world.begun().told(nodes=("cp1",))[0], "it reports what it reported"


def test_not_before_api_servers_and_nodes_are_ready(cluster: Cluster) -> None:
    world = World(cluster)
    versions = world.begun()
    world.upgrade()
    world.ready["w1"] = False
    assert not world.over(versions)
    world.ready["w1"] = True
    asked, world.lacking = world.asked, (Key("apiserver", "cp2"),)
    assert not world.over(versions)
    assert world.asked == asked, "who is not there is not waited for"
    world.lacking = (Key("keepalived", "cp2"),)
    assert world.over(versions), "the whole is waited for next, and not for so long"
    assert versions.proof()[0] is False
    assert versions.proof()[1].endswith("not whole: keepalived cp2: down")


def test_it_does_not_ask_at_every_tick(cluster: Cluster) -> None:
    world = World(cluster)
    versions = world.begun()
    world.over(versions)
    asked = world.asked
    world.t += pace.VERSIONS_S - 0.1
    versions.over()
    assert world.asked == asked
    world.t += 0.1
    versions.over()
    assert world.asked == asked + 1


def test_who_cannot_be_asked_proves_nothing(cluster: Cluster) -> None:
    world = World(cluster)
    versions = world.begun()
    world.upgrade()
    world.silent = True
    assert not world.over(versions)
    assert versions.proof() == (
        False,
        "what the nodes report could not be told: no API server answers",
    )


def test_of_many_nodes_they_are_counted(cluster: Cluster) -> None:
    world = World(cluster, **{f"w{number}": OLD for number in range(90)})
    versions = world.begun()
    world.upgrade("cp1")
    assert f"{OLD} (92 nodes), {NEW} (cp1)" in versions.proof()[1]


class Run:
    """What is done with a run, in order."""

    def __init__(self, versions: upgraded.Versions) -> None:
        self.versions = versions
        self.did: list[object] = []
        self.directory = SimpleNamespace(
            append_event=lambda kind, **data: self.did.append((kind, data))
        )

    def watch(self, *, for_s: float, over: Any, what: str) -> None:
        self.did.append(for_s)
        over()

    def watch_until(self, until: str, *, at_most_s: float) -> None:
        self.did.append((until, at_most_s))


@pytest.mark.parametrize("upgrades", [True, False])
def test_it_is_watched_and_told(cluster: Cluster, *, upgrades: bool) -> None:
    world = World(cluster)
    run: Any = Run(world.begun())
    if upgrades:
        world.upgrade()
    assert upgraded.watch(run, at_most_s=600)["upgraded"] is upgrades
    (kind, data) = run.did.pop()
    assert (kind, data["ok"]) == ("upgrade_proved", upgrades)
    assert run.did == [600, *([("whole", pace.AFTER_WORK_S)] if upgrades else [])]


def test_a_problem_that_is_known_is_what_is_told(cluster: Cluster) -> None:
    world = World(cluster)
    run: Any = Run(world.begun())
    world.upgrade()
    upgraded.prove(run, problem="drain w1: refused")
    assert run.did == [("upgrade_proved", {"ok": False, "evidence": "drain w1: refused"})]


# --- the file


def rolling(**arguments: object) -> Experiment:
    """The shipped one, with these arguments of its step."""
    document = yaml.safe_load(shipped.find("upgrade_rolling").read_text())
    document["method"][0]["provider"]["arguments"] = arguments
    return read_experiment(ExperimentSource.dump(document, file="mine.yaml"))


@pytest.mark.parametrize(
    ("arguments", "field", "told"),
    [
        ({"watch_until": "whole", "at_most_s": 60}, "watch_until", "'whole', allowed: upgraded"),
        ({"watch_until": "upgraded"}, "arguments", "no at_most_s, allowed: the longest"),
        ({"watch_until": "upgraded", "at_most_s": 0}, "at_most_s", "found 0"),
        ({"watch_until": "upgraded", "at_most_s": 99999}, "at_most_s", "28800 at most"),
        (
            {"watch_until": "upgraded", "at_most_s": 9, "for_s": 9},
            "for_s",
            "at_most_s in its place",
        ),
        (
            {"watch_until": "upgraded", "at_most_s": 9, "nodes": "w1"},
            "nodes",
            "'w1', allowed: all, or control-plane",
        ),
        ({"at_most_s": 60}, "at_most_s", "found at_most_s alone, allowed: at_most_s with watch_u"),
        ({"for_s": 60, "nodes": "all"}, "nodes", "found nodes alone"),
        (
            {"until": "upgraded"},
            "until",
            "the unknown argument 'until', allowed: for_s, watch_until",
        ),
    ],
)
def test_a_mistake_is_told_with_its_place(
    arguments: dict[str, object], field: str, told: str
) -> None:
    with pytest.raises(SpecError) as caught:
        rolling(**arguments)
    assert caught.value.exit_code == 2
    assert str(caught.value).startswith("mine.yaml:")
    assert caught.value.field.endswith(field)
    assert told in str(caught.value)


@pytest.mark.parametrize("func", ["etcd_kill", "undo", "watch"])
def test_nothing_is_broken_beside_it(func: str) -> None:
    document = yaml.safe_load(shipped.find("upgrade_rolling").read_text())
    step = yaml.safe_load(yaml.safe_dump(document["method"][0]))
    step["name"] = "another"
    step["provider"]["func"] = func
    if func != "watch":
        step["provider"]["arguments"] = {"target": "etcd-leader"} if func == "etcd_kill" else {}
    document["method"].append(step)
    with pytest.raises(
        SpecError, match=rf"mine.yaml:\d+: method\[1\].*'{func}' beside watch_until"
    ):
        read_experiment(ExperimentSource.dump(document, file="mine.yaml"))


def test_looking_on_afterwards_is_allowed() -> None:
    document = yaml.safe_load(shipped.find("upgrade_rolling").read_text())
    step = yaml.safe_load(yaml.safe_dump(document["method"][0]))
    step["provider"]["arguments"] = {"for_s": 60}
    document["method"].append(step)
    read = read_experiment(ExperimentSource.dump(document, file="mine.yaml"))
    assert read.upgrade == read.method[0]


def test_how_long_it_can_last() -> None:
    longer = worst_case_s(rolling(watch_until="upgraded", at_most_s=7200))
    assert longer - worst_case_s(rolling(watch_until="upgraded", at_most_s=60)) == 7140
    assert longer - worst_case_s(rolling(for_s=7200)) == pace.AFTER_WORK_S
    with pytest.raises(SpecError, match="can last"):
        rolling(watch_until="upgraded", at_most_s=LONGEST_LOOK_S)


def test_a_suite_does_no_upgrade(root: Any) -> None:
    files = [root / "experiments" / f"{name}.yaml" for name in ("etcd_kill", "upgrade_rolling")]
    read = [read_experiment(read_source(file)) for file in files]
    suite = Suite("mine", "Mine", tuple(Entry(file, State.MET) for file in files))
    refuse_upgrades(Suite("mine", "Mine", suite.entries[:1]), read[:1])
    with pytest.raises(UsageError, match=r"suite mine: upgrade_rolling.yaml waits .* take it out"):
        refuse_upgrades(suite, read)
