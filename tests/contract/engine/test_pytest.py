"""Whole runs by pytest's plugin, and a stranger's probe in one of ours."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from tests.contract.engine.conftest import FakeCluster

Make = Callable[..., str]

PLAN = """\
import time
PROBE = {"probe": "api_quorum_read", "path": "vip", "rate_hz": 50}
PROBES = {"api": {**PROBE, "connection": "new"}, "api_reused": {**PROBE, "connection": "reused"}}
PLAN = {"probes": PROBES, "baseline_s": 2.2}
HIT = {"target": "vip-holder", "at_most_s": 20, "plan": PLAN}
"""


def junit(folder: Path) -> list[ElementTree.Element]:
    return list(ElementTree.parse(folder / "junit.xml").getroot().iter("testcase"))


def test_experiments_and_blocks_are_played_by_pytest(
    cluster: FakeCluster, experiment: Make
) -> None:
    """One session, two whole runs: an experiment file, and a block while the holder is off."""
    path = experiment("controls/nothing_happens")
    text = PLAN + (
        "def test_mine(quorate):\n"
        "    with quorate.inject('node_power_off', **HIT) as fault:\n"
        "        assert fault.nodes == ('cp1',)\n"
        "        assert fault.watch_until('recovered', at_most_s=8)\n"
        "    fault.assert_met()\n"
        "    (outage,) = fault.outages('api')\n"
        "    assert 0.5 < outage.length_s < 3\n"
        "    assert 'injection_proved' in [event.kind for event in fault.timeline.events]\n"
    )
    (cluster.folder / "test_mine.py").write_text(text)
    played = cluster.play("pytest", "--junitxml=junit.xml", path, "test_mine.py")
    assert played.exit_code == 0, played.output
    assert not cluster.is_off("cp1")
    assert cluster.pending == []
    properties = {
        one.attrib["name"]: one.attrib["value"]
        for case in junit(cluster.folder)
        for one in case.iter("property")
    }
    assert properties["nothing_happens/verdict"] == "MET"
    outage = properties["inject_node_power_off/longest_outage_s:api:fault:1s"]
    assert 0.5 < float(outage) < 3
    judged = cluster.play("quorate", "judge", properties["inject_node_power_off/run"])
    assert judged.exit_code == 0, judged.output


def test_a_signal_in_a_block_undoes_and_ends_the_session(cluster: FakeCluster) -> None:
    text = PLAN + (
        "def test_mine(quorate):\n"
        "    with quorate.inject('node_power_off', **{**HIT, 'at_most_s': 90}):\n"
        "        time.sleep(90)\n"
        "def test_next():\n"
        "    assert False, 'the session has ended'\n"
    )
    (cluster.folder / "test_mine.py").write_text(text)
    process = cluster.start("pytest", "--junitxml=junit.xml", "test_mine.py")
    cluster.until("injection_proved", process)
    assert cluster.is_off("cp1")
    process.send_signal(signal.SIGTERM)
    played = cluster.finished(process)
    assert played.exit_code == 2, played.output
    assert "quorate: interrupted by a signal" in played.output
    assert not cluster.is_off("cp1")
    assert cluster.pending == []
    assert played.events[-1]["data"]["reason"] == "interrupted"
    (case,) = junit(cluster.folder)
    assert [one.tag for one in case if one.tag in ("error", "failure", "skipped")] == ["error"]


def test_a_stranger_s_probe_asks_the_run_s_cluster(cluster: FakeCluster, experiment: Make) -> None:
    """chaosk8s finds the kubeconfig of cluster.yaml, whatever $KUBECONFIG said before."""

    def mixed(document: dict[str, Any]) -> None:
        provider = {"type": "python", "module": "chaosk8s.node.probes"}
        provider["func"] = "get_nodes"
        step = {"type": "probe", "name": "nodes", "provider": {**provider, "arguments": {}}}
        document["method"].append(step)

    for name in [name for name in cluster.environment if name.lower().endswith("_proxy")]:
        del cluster.environment[name]
    cluster.environment["KUBECONFIG"] = str(cluster.folder / "elsewhere")
    played = cluster.play("chaos", "run", experiment("controls/nothing_happens", mixed))
    assert played.exit_code == 0, played.output
    asked = played.journal["run"][-1]
    names = [one["metadata"]["name"] for one in asked["output"]["items"]]
    assert names == ["cp1", "cp2", "cp3"], asked
    (note,) = [one for one in played.verdict["notes"] if one.startswith("nodes: ")]
    assert note.startswith("nodes: succeeded: {'kind': 'NodeList', 'items': [{'metadata': ")
