"""Whole runs under both engines: every way to end has its verdict, exit code and record."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from quorate.harness.undo.journal import UndoJournal
from tests.contract.engine.conftest import (
    ENGINES,
    EVERYBODY,
    PLAY,
    UPSTREAM,
    FakeCluster,
    played_by,
)

Make = Callable[..., str]


@played_by(EVERYBODY)
def test_a_met_experiment(cluster: FakeCluster, experiment: Make, engine: str) -> None:
    played = cluster.play(engine, "run", experiment("vip_drop_holder"))
    assert played.exit_code == 0, played.output
    assert played.verdict["verdict"] == "MET"
    outage = played.verdict["objectives"][0]
    assert 0.8 < outage["value"] < 2.5, "the fake VIP is gone for a second"
    assert not cluster.is_off("cp1")
    assert cluster.pending == []
    order = ["baseline_ended", "injection_started", "injection_proved", "undo_started"]
    order += ["undo_done", "return_ended", "sampling_stopped", "run_closed"]
    assert [kind for kind in played.kinds if kind in order] == order
    done = next(event for event in played.events if event["kind"] == "undo_done")
    assert "boot id of cp1" in done["data"]["evidence"]
    assert "Every objective below is met" in played.text_of("log.txt")
    foretold = {
        e["data"]["component"]: e["data"] for e in played.events if e["kind"] == "prediction"
    }
    assert foretold["vip"]["high"] == pytest.approx(3.61, abs=0.01)
    assert foretold["etcd_leader"]["low"] == pytest.approx(1.35), "cp1 leads, election 1.5 s"
    assert "node-monitor" not in foretold["node"]["formula"]
    assert "kube-controller-manager.yaml" in foretold["node"]["reason"], "a fact that is not there"
    if engine == "chaos":
        assert played.journal["quorate"]["exit_code"] == 0
        assert played.journal["deviated"] is False


@played_by(ENGINES)
def test_a_missed_control(cluster: FakeCluster, experiment: Make, engine: str) -> None:
    name = "controls/vip_drop_holder_without_backups"
    played = cluster.play(engine, "run", experiment(name))
    assert played.exit_code == 1, played.output
    assert played.verdict["verdict"] == "MISSED"
    watched = [event["t"] for event in played.events if event["kind"].startswith("watch_")]
    assert played.verdict["objectives"][0]["value"] > watched[1] - watched[0]
    assert cluster.stopped == [], "the arrangement is undone"
    assert cluster.pending == []
    if engine == "chaos":
        assert played.journal["deviated"] is True


def test_nothing_happens(cluster: FakeCluster, experiment: Make) -> None:
    played = cluster.play("quorate", "run", experiment("controls/nothing_happens"))
    assert played.exit_code == 0, played.output
    assert [one["value"] for one in played.verdict["objectives"]] == [0, 0]
    journal = UndoJournal(played.directory / "undo.jsonl")
    assert '"injection": "lease"' in journal.path.read_text()
    assert journal.path.read_text().count('"undo": {') == 2, "the Lease, the ledger, and no more"
    assert not journal.pending()
    made = next(event for event in played.events if event["kind"] == "ledger_made")
    assert len(made["data"]["registers"]) == 4, "by way of the VIP, and through each API server"
    assert json.loads((cluster.world / "objects").read_text()) == [], "they are removed"
    file = played.directory / "verdict.json"
    before = file.read_bytes()
    judged = cluster.play("quorate", "judge", str(played.directory))
    assert judged.exit_code == 0, judged.output
    assert file.read_bytes() == before


@played_by(ENGINES)
def test_an_act_that_does_nothing(cluster: FakeCluster, experiment: Make, engine: str) -> None:
    played = cluster.play(engine, "run", experiment("controls/act_does_nothing"))
    assert played.exit_code == (3 if engine == "quorate" else 1), played.output
    assert played.verdict["verdict"] == "INCONCLUSIVE"
    failed = [gate["name"] for gate in played.verdict["gates"] if not gate["ok"]]
    assert "fault" in failed
    assert cluster.pending == []


@played_by(ENGINES)
def test_a_bad_baseline_breaks_nothing(cluster: FakeCluster, experiment: Make, engine: str) -> None:
    """No answer comes within 50 microseconds."""

    def change(document: dict[str, Any]) -> None:
        for objective in document["extensions"][0]["objectives"]:
            if "deadline_s" in objective:
                objective["deadline_s"] = 0.00005

    played = cluster.play(engine, "run", experiment("vip_drop_holder", change))
    assert played.exit_code == (3 if engine == "quorate" else 1), played.output
    assert "injection_started" not in played.kinds
    assert played.events[-1]["data"]["reason"] == "refused"
    assert "baseline" in played.output
    if engine == "chaos":
        assert played.journal["run"] == [], "no activity was played"


@played_by(UPSTREAM)
def test_a_typo_in_the_control_is_no_pass(
    cluster: FakeCluster, experiment: Make, engine: str
) -> None:
    """chaoslib only warns of a control that it cannot import."""

    def change(document: dict[str, Any]) -> None:
        document["controls"][0]["provider"]["module"] = "quorate.contrl"

    played = cluster.play(engine, "run", experiment("vip_drop_holder", change))
    assert played.exit_code == 1, played.output
    assert "no run of quorate is live" in played.output
    assert not list(played.runs.glob("*")), "no run was opened"


@played_by(UPSTREAM)
@pytest.mark.parametrize("dry", ["probes", "actions", "activities", "pause"])
def test_a_dry_run_is_never_met(
    cluster: FakeCluster, experiment: Make, engine: str, dry: str
) -> None:
    played = cluster.play(engine, "run", "--dry", dry, experiment("vip_drop_holder"))
    assert played.exit_code == 1, played.output
    assert played.journal["quorate"]["verdict"] is None
    assert not cluster.is_off("cp1")


@pytest.mark.parametrize("strategy", ["before-method-only", "after-method-only"])
def test_a_verdict_asked_only_once_is_no_pass(
    cluster: FakeCluster, experiment: Make, strategy: str
) -> None:
    argument = f"--hypothesis-strategy={strategy}"
    played = cluster.play("chaos", "run", argument, experiment("vip_drop_holder"))
    assert played.exit_code == 1, played.output
    assert ("injection_started" in played.kinds) is (strategy == "before-method-only")
    assert not cluster.is_off("cp1")


def test_a_mistake_in_the_file_is_told_with_its_line(
    cluster: FakeCluster, experiment: Make
) -> None:
    def change(document: dict[str, Any]) -> None:
        document["method"][0]["provider"]["arguments"]["watch_until"] = "better"

    path = experiment("vip_drop_holder", change)
    played = cluster.play("quorate", "run", path)
    assert played.exit_code == 2
    assert f"{path}:" in played.output
    assert "recovered, or whole" in played.output
    assert cluster.play("chaos", "run", path).exit_code == 1


def test_json_is_one_document(cluster: FakeCluster, experiment: Make) -> None:
    path = experiment("controls/nothing_happens")
    done = subprocess.run(
        [cluster.python, str(PLAY), "quorate", "run", "--json", path],
        cwd=cluster.folder,
        env=cluster.environment,
        capture_output=True,
        check=False,
    )
    told = json.loads(done.stdout)
    assert (done.returncode, told["exit_code"]) == (0, 0)
    assert told["runs"][0]["details"]["verdict"] == "MET"
    assert b"baseline" in done.stderr, "progress is told meanwhile"


def test_a_cluster_that_forgets_is_missed_whatever_clients_saw(
    cluster: FakeCluster, experiment: Make
) -> None:
    """Every tenth write is acknowledged and not kept, the experiment's own ones among them."""

    def writing(document: dict[str, Any]) -> None:
        probe = {"probe": "api_write", "path": "vip", "connection": "reused", "rate_hz": 10}
        document["extensions"][0]["probes"]["writes"] = probe

    process = cluster.start("quorate", "run", experiment("controls/nothing_happens", writing))
    cluster.until("watch_started", process)
    (cluster.world / "trouble").write_text("forget")
    played = cluster.finished(process)
    assert played.exit_code == 1, played.output
    assert {one["state"] for one in played.verdict["objectives"]} == {"MET"}
    assert "MISSED: data safety: acknowledged_writes: register " in played.output
    assert played.text_of("report.txt").startswith("MISSED: data safety: ")
    made = next(event for event in played.events if event["kind"] == "ledger_made")
    assert len(made["data"]["registers"]) == 14, "ten for a second of writes, judged at 1 s"
    samples = played.text_of("samples/writes.jsonl").splitlines()
    assert all('"w":["' in line for line in samples if '"o":"OK"' in line)
    assert cluster.pending == []


def test_answers_that_are_lost_are_no_lost_writes(cluster: FakeCluster, experiment: Make) -> None:
    """Every tenth write is kept, and its connection is cut before the answer."""
    (cluster.world / "trouble").write_text("cut")
    played = cluster.play("quorate", "run", experiment("controls/nothing_happens"))
    assert played.exit_code != 1, played.output
    checks = {one["name"]: one for one in played.verdict["data_safety"]}
    assert {one["state"] for one in checks.values()} == {"MET"}
    unknown = re.search(r"(\d+) of unknown outcome", checks["acknowledged_writes"]["reason"])
    assert unknown
    assert int(unknown[1]) >= 1
