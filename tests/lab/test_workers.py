"""Workers, pods and the service under watch, on the real cluster."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.lab.conftest import Lab, Played

pytestmark = pytest.mark.lab

OWNER = "quorate-service/service"


def nothing_is_left(lab: Lab) -> None:
    """No cordon, no taint of one, no namespace of ours, CoreDNS as it was."""
    nodes = json.loads(lab.kubectl("get", "nodes", "-o", "json"))["items"]
    assert not [node["metadata"]["name"] for node in nodes if node["spec"].get("unschedulable")]
    keys = {taint["key"] for node in nodes for taint in node["spec"].get("taints", ())}
    assert keys <= {"node-role.kubernetes.io/control-plane"}
    assert "quorate" not in lab.kubectl("get", "namespaces", "-o", "name")
    words = ("-n", "kube-system", "get", "deployment", "coredns", "-o", "json")
    assert json.loads(lab.kubectl(*words))["status"]["readyReplicas"] == 2


def objective(played: Played, indicator: str, *, during: str | None = None) -> dict[str, Any]:
    found = [
        one
        for one in played.verdict["objectives"]
        if one["indicator"] == indicator and during in (None, one["during"])
    ]
    assert len(found) == 1
    result: dict[str, Any] = found[0]
    return result


def phases(played: Played) -> set[str]:
    """The phases that the service's pods on the target were seen to go through."""
    found = [one for one in played.verdict["rescheduling"] if one["owner"] == OWNER]
    assert len(found) == 1
    return {phase for pod in found[0]["pods"] for phase in pod["phases"]}


def test_a_drain_costs_no_request(lab: Lab) -> None:
    played = lab.play_briefly("worker_drain")
    assert played.exit_code == 0, played.output
    assert objective(played, "bad_samples", during="fault")["value"] == 0
    assert {"evict", "create", "schedule", "start", "ready", "endpoint"} <= phases(played)
    assert "quorate-service/service-" in played.output, "the proof names the pod that left"
    nothing_is_left(lab)


def test_without_pre_stop_requests_fail(lab: Lab) -> None:
    played = lab.play_briefly("controls/worker_drain_without_pre_stop")
    assert played.exit_code == 1, played.output
    assert objective(played, "bad_samples", during="fault")["value"] > 0
    assert objective(played, "time_to_drained_s")["state"] == "MET"
    nothing_is_left(lab)


def test_a_budget_that_no_drain_satisfies_is_named_and_the_node_uncordoned(lab: Lab) -> None:
    played = lab.play_briefly("controls/worker_drain_blocked_by_budget")
    assert played.exit_code == 1, played.output
    drained = objective(played, "time_to_drained_s")
    assert (drained["state"], drained["censored"]) == ("MISSED", True)
    assert drained["value"] == pytest.approx(15, abs=5), "given up at its deadline"
    assert "is kept by the PodDisruptionBudget quorate-service/service" in drained["reason"]
    nothing_is_left(lab)


def test_a_worker_without_power_is_given_up_and_its_pod_serves_elsewhere(lab: Lab) -> None:
    played = lab.play_in_sight("node_power_off")
    assert played.exit_code == 0, played.output
    assert {"detect", "taint", "withdrawn", "evict", "create", "endpoint"} <= phases(played)
    took = objective(played, "time_to_rescheduled_s")
    predicted = [
        one for one in played.verdict["predicted"] if one["what"] == "time_to_rescheduled_s"
    ]
    assert [one["inside"] for one in predicted] == [True], took
    nothing_is_left(lab)


def test_replicas_that_share_the_lost_machine_are_no_replicas(lab: Lab) -> None:
    played = lab.play_briefly("controls/node_power_off_of_all_replicas")
    assert played.exit_code == 1, played.output
    assert objective(played, "longest_outage_s")["state"] == "MISSED"
    rescheduled = objective(played, "time_to_rescheduled_s")
    assert (rescheduled["state"], rescheduled["censored"]) == ("MISSED", True)
    nothing_is_left(lab)


def test_probes_of_another_extension_ask_the_lab(lab: Lab) -> None:
    """chaostoolkit-kubernetes in an experiment of ours: it finds the lab's API, and is told of."""
    played = lab.play_briefly("pod_kill_seen_by_chaosk8s")
    assert played.exit_code == 0, played.output
    notes = [note.partition(": ")[2] for note in played.verdict["notes"] if "chaosk8s" in note]
    assert notes == ["succeeded: 3", "succeeded: True"]
    assert "counted by chaosk8s: succeeded: 3" in played.output
    nothing_is_left(lab)
