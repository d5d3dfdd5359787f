"""Whole runs that ask from a node as well: one that looks on, and one that is itself hit."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from typing import Any

import pytest

from tests.contract.engine.conftest import FakeCluster
from tests.contract.sampling.held import processes

pytestmark = pytest.mark.timeout(150)  # 40 s beside ten busy processes, twice that in bad luck

Make = Callable[..., str]


def asked_from(vantage: str) -> Callable[[dict[str, Any]], object]:
    """A probe beside the others, with a bound of its own."""

    def change(document: dict[str, Any]) -> None:
        ours = document["extensions"][0]
        ours["probes"]["far"] = {**ours["probes"]["api"], "from": vantage}
        for probe in ours["probes"].values():
            probe["rate_hz"] = 20  # two samplers and what they ask share this machine
        ours["baseline_s"] = 5.2  # so one late sample of a probe is still under 1 %
        ours["objectives"].append({**ours["objectives"][0], "of": "far"})

    return change


def test_what_a_node_saw_agrees_with_what_the_harness_saw(
    cluster: FakeCluster, experiment: Make
) -> None:
    file = experiment("vip_drop_holder", asked_from("node:surviving-control-plane"))
    played = cluster.play("quorate", "run", file)
    near, far = (played.verdict["objectives"][index] for index in (0, -1))
    assert far["of"] == ["far"], played.output
    assert far["value"] == pytest.approx(near["value"], abs=0.15)
    said = json.loads(played.text_of("sampler.json"))["vantages"]["node:surviving-control-plane"]
    assert said["complete"], said
    assert said["node"] == "cp2"
    assert not processes(cluster.world / "run")
    assert not (cluster.world / "run").exists(), "its undo was played"
    assert cluster.pending == []


def test_a_vantage_that_lost_its_power_is_named_and_no_pass(
    cluster: FakeCluster, experiment: Make
) -> None:
    played = cluster.play("quorate", "run", experiment("vip_drop_holder", asked_from("node:cp1")))
    assert played.exit_code == 3, played.output
    assert played.verdict["verdict"] == "INCONCLUSIVE"
    prober = next(gate for gate in played.verdict["gates"] if gate["name"] == "prober")
    assert "far from node:cp1; its buffer is gone" in prober["reason"]
    assert cluster.pending == []


def test_a_node_that_is_not_there_is_refused_before_anything(
    cluster: FakeCluster, experiment: Make
) -> None:
    played = cluster.play("quorate", "run", experiment("vip_drop_holder", asked_from("node:cp9")))
    assert played.exit_code == 3, played.output
    assert "from: node:cp9: there is no such node" in played.output
    assert "injection_started" not in played.kinds


def test_what_a_killed_harness_leaves_on_a_node_is_taken_back(
    cluster: FakeCluster, experiment: Make
) -> None:
    file = experiment("controls/nothing_happens", asked_from("node:cp2"))
    process = cluster.start("quorate", "run", file)
    cluster.until("vantage_clock", process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    folder = next((cluster.folder / "runs").glob("*/undo.jsonl")).parent
    settled = cluster.play("quorate", "undo")
    assert settled.exit_code == 0, settled.output
    assert not processes(cluster.world / "run")
    text = (folder / "undo.jsonl").read_text()
    assert '"id": "node:cp2:sampler"' in text.splitlines()[-3] + text.splitlines()[-2], text
