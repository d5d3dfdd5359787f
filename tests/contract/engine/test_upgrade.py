"""An experiment about an upgrade: somebody else does it, in another terminal, or nobody does."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from tests.contract.engine.conftest import FakeCluster, Played

Make = Callable[..., str]
NODES = ("cp1", "cp2", "cp3")


def quick(document: dict[str, Any]) -> None:
    document["method"][0]["provider"]["arguments"]["at_most_s"] = 20
    for probe in document["extensions"][0]["probes"].values():
        probe["rate_hz"] = 25


def impatient(document: dict[str, Any]) -> None:
    quick(document)
    document["method"][0]["provider"]["arguments"]["at_most_s"] = 3


def upgrade(cluster: FakeCluster, *nodes: str) -> None:
    """The kubelets there report another version from now on."""
    (cluster.world / "versions").mkdir(exist_ok=True)
    for node in nodes:
        draft = cluster.world / "versions" / f".{node}"
        draft.write_text("v2")
        draft.replace(cluster.world / "versions" / node)


def gate(played: Played) -> tuple[bool, str]:
    (one,) = [one for one in played.verdict["gates"] if one["name"] == "upgrade"]
    return one["ok"], one["reason"]


def begun(cluster: FakeCluster, process: subprocess.Popen[str]) -> None:
    cluster.until("watch_started", process)


def test_it_ends_when_all_are_upgraded(cluster: FakeCluster, experiment: Make) -> None:
    process = cluster.start("quorate", "run", experiment("upgrade_rolling", quick))
    begun(cluster, process)
    upgrade(cluster, *NODES)
    played = cluster.finished(process)
    assert played.exit_code == 0, played.output
    assert gate(played) == (True, "the nodes report v2; when the run began, v1")
    assert "injection_started" not in played.kinds
    asked = [one for one in played.verdict["objectives"] if one["indicator"] == "longest_outage_s"]
    each = ["server_cp1", "server_cp2", "server_cp3"]
    assert [one["of"][0] for one in asked] == ["api", "api_reused", "watch", *each]
    assert "not_whole_s" in {one["indicator"] for one in played.verdict["objectives"]}
    kept = yaml.safe_load(played.text_of("experiment.yaml"))["extensions"][0]["probes"]
    assert kept["server_cp2"]["path"] == "apiserver:cp2"
    before = played.text_of("verdict.json")
    assert cluster.play("quorate", "judge", str(played.directory)).exit_code == 0
    assert played.text_of("verdict.json") == before


@pytest.mark.parametrize(("engine", "exit_code"), [("quorate", 3), ("chaos", 1)])
def test_where_nobody_upgrades_it_answers_nothing(
    cluster: FakeCluster, experiment: Make, engine: str, exit_code: int
) -> None:
    """Though clients were well all the time."""
    played = cluster.play(engine, "run", experiment("upgrade_rolling", impatient))
    assert played.exit_code == exit_code, played.output
    assert played.verdict["verdict"] == "INCONCLUSIVE"
    assert gate(played) == (False, "no upgrade was seen: the nodes report v1 as when the run began")
    assert {one["state"] for one in played.verdict["objectives"]} == {"MET"}
    if engine == "quorate":
        assert "no upgrade was seen" in played.output
    else:
        assert played.journal["quorate"]["exit_code"] == 3


def test_half_an_upgrade_is_waited_for_and_is_none(cluster: FakeCluster, experiment: Make) -> None:
    process = cluster.start("chaos", "run", experiment("upgrade_control_planes", impatient))
    begun(cluster, process)
    upgrade(cluster, "cp1", "cp2")
    played = cluster.finished(process)
    assert played.exit_code == 1, played.output
    told = "the upgrade was not over: the nodes report v1 (cp3), v2 (cp1, cp2)"
    assert gate(played) == (False, told)
    watched = [one["t"] for one in played.events if one["kind"].startswith("watch_")]
    assert watched[-1] - watched[0] >= 3, "it was waited for to the end"


def test_the_other_engine_comes_to_the_same(cluster: FakeCluster, experiment: Make) -> None:
    process = cluster.start("chaos", "run", experiment("upgrade_control_planes", quick))
    begun(cluster, process)
    upgrade(cluster, *NODES)
    played = cluster.finished(process)
    assert played.exit_code == 0, played.output
    assert played.verdict["verdict"] == "MET"
    assert gate(played)[0]


def test_a_game_day_does_none(cluster: FakeCluster, experiment: Make) -> None:
    suite = cluster.folder / "ours.yaml"
    entries = [{"file": experiment("upgrade_rolling"), "expect": "MET"}]
    suite.write_text(yaml.safe_dump({"format": 1, "title": "Ours", "experiments": entries}))
    for words in (("gameday", str(suite)), ("gate", "--suite", str(suite))):
        played = cluster.play("quorate", *words)
        assert played.exit_code == 2, played.output
        assert "suite ours: upgrade_rolling.yaml waits for an upgrade" in played.output
    assert not list((cluster.folder / "runs").glob("*"))


def test_a_bound_of_one_server_can_be_given(cluster: FakeCluster, experiment: Make) -> None:
    """By the name that it has on this cluster."""
    path = experiment("upgrade_rolling", impatient)
    bound = ("--set", "longest_outage_s:server_cp2=7", "--json")
    played = cluster.play("quorate", "run", path, *bound)
    assert played.exit_code == 3, played.output
    judged = [one for one in played.verdict["objectives"] if one["of"] == ["server_cp2"]]
    assert [(one["bound"], one["judged_by"]) for one in judged] == [(7, "--set")]
    planned = cluster.play("quorate", "plan", path, "--json")
    assert "longest_outage_s:server_cp2:fault:1s" in json.loads(_json(planned))["bounds"]


def _json(played: Played) -> str:
    return played.output[played.output.index("{") :]


def test_the_verb_plays_it_and_upgrades(cluster: FakeCluster, experiment: Make) -> None:
    def bound(document: dict[str, Any]) -> None:
        quick(document)
        document["extensions"][0]["objectives"][-1]["at_most"] = 77

    mine = experiment("upgrade_rolling", bound)
    played = cluster.play("quorate", "upgrade", "--to", "v2", "--no-gate", "--experiment", mine)
    assert played.exit_code == 0, played.output
    assert "-upgrade-" in played.directory.name
    assert played.verdict["title"] == "What clients saw of an upgrade to v2"
    assert gate(played) == (True, "the nodes report v2; when the run began, v1")
    (whole,) = [o for o in played.verdict["objectives"] if o["indicator"] == "not_whole_s"]
    assert whole["bound"] == 77, "the file's"
    assert played.kinds.index("work_ended") < played.kinds.index("upgrade_proved")


def test_an_upgrade_that_fails_is_not_met(cluster: FakeCluster, experiment: Make) -> None:
    mine = experiment("upgrade_rolling", quick)
    words = ("--no-gate", "--experiment", mine, "--kubeadm-option", "--fail")
    played = cluster.play("quorate", "upgrade", "--to", "v2", *words)
    assert played.exit_code == 3, played.output
    assert played.verdict["verdict"] == "INCONCLUSIVE"
    ok, reason = gate(played)
    assert not ok
    assert reason.startswith("kubeadm upgrade on cp1: cp1: ")
    assert "ended early: kubeadm upgrade on cp1" in played.output
