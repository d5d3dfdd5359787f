"""The first experiment on the real cluster, its control, and the vantages.

That nothing happens, and that an act does nothing, is played against the fake cluster
(tests/contract/engine); that no fault is proved while none is on, test_faults.py asks here.
"""

from __future__ import annotations

import json

import pytest

from tests.lab.conftest import Lab, Played

pytestmark = pytest.mark.lab


def kinds(events: list[dict[str, object]]) -> list[object]:
    return [event["kind"] for event in events]


def test_vip_drop_holder_is_met(lab: Lab) -> None:
    played = lab.play_in_sight("vip_drop_holder")
    assert played.exit_code == 0, played.output
    assert played.verdict["verdict"] == "MET"
    assert kinds(played.events).count("undo_done") == 1
    acted = next(e["t"] for e in played.events if e["kind"] == "injection_acted")
    announced = [
        e["data"] for e in played.events if e["kind"] == "vip_announced" and e["t"] > acted
    ]
    assert announced, "whoever took the VIP over said so by gratuitous ARP"
    path = played.directory / "verdict.json"
    before = path.read_bytes()
    lab.run("judge", str(played.directory))
    assert path.read_bytes() == before, "judged again from what was stored: the same bytes"


def test_without_a_backup_it_is_missed(lab: Lab) -> None:
    """The negative control: the outage is as long as the fault, and the arrangement is undone."""
    played = lab.play_briefly("controls/vip_drop_holder_without_backups")
    assert played.exit_code == 1, played.output
    assert played.verdict["verdict"] == "MISSED"
    assert [e["data"]["ok"] for e in played.events if e["kind"] == "arrangement_undone"] == [True]


def assert_met_or_blind_there(played: Played) -> None:
    """Every bound that could be judged holds. A sampler on a node or in a pod runs without real
    time where the kernel gives groups none (cgroup v1): that it says so is right, and no pass."""
    states = {one["state"] for one in played.verdict["objectives"]}
    broken = [gate["name"] for gate in played.verdict["gates"] if not gate["ok"]]
    assert "MISSED" not in states, played.output
    assert (played.exit_code, broken) in ((0, []), (3, ["prober"])), played.output


def test_a_worker_sees_what_the_harness_sees_and_keeps_nothing(lab: Lab) -> None:
    played = lab.play_in_sight("apiserver_isolate_seen_from_worker")
    assert_met_or_blind_there(played)
    stored = json.loads((played.directory / "sampler.json").read_text())
    seen = stored["vantages"]["node:surviving-worker"]
    assert seen["complete"], seen["problem"]
    # The lab's nodes share one kernel, and so one clock.
    assert abs(seen["clock"]["offset_s"]) <= seen["clock"]["uncertainty_s"] < 0.05
    left = "systemctl list-units --all --no-legend 'quorate*'; ls -A /run/quorate"
    assert lab.on(seen["node"], "sh", "-c", left).stdout.strip() in ("", "proc")


def test_a_pod_sees_what_the_harness_sees_and_is_gone(lab: Lab) -> None:
    played = lab.play_in_sight("apiserver_isolate_seen_from_pod")
    assert_met_or_blind_there(played)
    stored = json.loads((played.directory / "sampler.json").read_text())
    seen = stored["vantages"]["pod:surviving-worker"]
    assert seen["complete"], seen["problem"]
    assert abs(seen["clock"]["offset_s"]) <= seen["clock"]["uncertainty_s"] < 0.05
    ours = ("-n", "kube-system", "-l", "app=quorate-sampler", "-o", "name")
    assert lab.kubectl("get", "pods,secrets", *ours).strip() == ""
