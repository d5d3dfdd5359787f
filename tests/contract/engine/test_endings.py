"""Runs that are ended from outside: what was on is off afterwards, and nothing exits 0."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quorate.harness.store.run_directory import RunDirectory
from tests.contract.engine.conftest import EVERYBODY, FakeCluster, played_by

Make = Callable[..., str]


def long(document: dict[str, Any]) -> None:
    """A fault phase that goes on until somebody ends it."""
    document["extensions"][0]["given"] = ["keepalived_backups_stopped"]
    document["method"][0]["provider"]["arguments"]["at_most_s"] = 40


@played_by(EVERYBODY)
def test_a_signal_undoes_first(cluster: FakeCluster, experiment: Make, engine: str) -> None:
    """SIGTERM is the one that chaoslib 1.44 swallows; SIGINT is what a person sends."""
    number = signal.SIGTERM if engine == "chaos" else signal.SIGINT
    process = cluster.start(engine, "run", experiment("vip_drop_holder", long))
    cluster.until("injection_proved", process)
    assert cluster.is_off("cp1")
    process.send_signal(number)
    played = cluster.finished(process)
    assert played.exit_code == (3 if engine == "quorate" else 1), played.output
    assert not cluster.is_off("cp1")
    assert cluster.stopped == []
    assert cluster.pending == []
    assert played.kinds[-1] == "run_closed"
    assert played.events[-1]["data"]["reason"] == "interrupted"
    undone = [event["data"]["ok"] for event in played.events if event["kind"] == "undo_done"]
    assert undone == [True]
    assert played.verdict["verdict"] != "MET"


def test_signals_wait_for_the_undo(cluster: FakeCluster, experiment: Make) -> None:
    process = cluster.start("quorate", "run", experiment("vip_drop_holder", long))
    cluster.until("injection_proved", process)
    for _ in range(8):
        process.send_signal(signal.SIGTERM)
        time.sleep(0.15)
    played = cluster.finished(process)
    # The last ones may come when all is done and the handlers are the system's again.
    assert played.exit_code in (3, -signal.SIGTERM), played.output
    assert not cluster.is_off("cp1")
    assert cluster.pending == []


def test_a_signal_ends_a_series_and_tells_what_was_done(
    cluster: FakeCluster, experiment: Make
) -> None:
    path = experiment("controls/nothing_happens")
    process = cluster.start("quorate", "run", path, "--repeat", "3", "--seed", "1")
    runs = cluster.folder / "runs"
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline and process.poll() is None:
        begun = [file.read_text() for file in runs.glob("*/events.jsonl")]
        if sum("injection_phase" in text for text in begun) == 2:
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    played = cluster.finished(process)
    assert played.exit_code == 3, played.output
    assert f"2 of 3 runs of {path}, seed 1" in played.output
    assert "ended early: interrupted" in played.output
    assert "1 MET, 0 MISSED, 0 INCONCLUSIVE" in played.output
    assert cluster.pending == []
    first, second = (RunDirectory.open(file.parent) for file in sorted(runs.glob("*/run.json")))
    assert first.fingerprint() == second.fingerprint()
    assert first.fingerprint().missing == ()
    assert "keepalived vrrp_instance vip advert_int" in first.fingerprint().nodes["cp1"]
    drawn = [one.timeline().of_kind("injection_phase")[0].data for one in (first, second)]
    assert [one["run"] for one in drawn] == [1, 2]
    assert drawn[0]["drawn_s"] != drawn[1]["drawn_s"]


@pytest.mark.parametrize("boundary", ["sampling_started", "injection_started", "injection_proved"])
def test_the_guardian_takes_over(cluster: FakeCluster, experiment: Make, boundary: str) -> None:
    process = cluster.start("quorate", "run", experiment("vip_drop_holder", long))
    cluster.until(boundary, process)
    process.kill()
    process.communicate()
    deadline = time.monotonic() + 20
    while cluster.pending and time.monotonic() < deadline:
        time.sleep(0.1)
    assert cluster.pending == []
    assert not cluster.is_off("cp1")
    assert cluster.stopped == []


def test_without_a_guardian_run_refuses_until_undo(cluster: FakeCluster, experiment: Make) -> None:
    path = experiment("vip_drop_holder", long)
    process = cluster.start("quorate", "run", path)
    cluster.until("injection_proved", process)
    os.kill(guardian_of(cluster.folder / "runs"), signal.SIGKILL)
    process.kill()
    process.communicate()
    assert cluster.is_off("cp1")
    refused = cluster.play("quorate", "run", path)
    assert refused.exit_code == 3, refused.output
    assert "quorate undo" in refused.output
    undone = cluster.play("quorate", "undo")
    assert undone.exit_code == 0, undone.output
    assert "power cp1 on" in undone.output
    assert not cluster.is_off("cp1")
    assert cluster.stopped == []
    assert "nothing to undo" in cluster.play("quorate", "undo").output


def test_an_undo_that_fails_outranks_all(cluster: FakeCluster, experiment: Make) -> None:
    """The machine does not come back: exit 4, the run stays pending, and `undo` says so too."""
    path = experiment("controls/vip_drop_holder_without_backups")
    (cluster.world / "stuck").touch()
    played = cluster.play("quorate", "run", path)
    assert played.exit_code == 4, played.output
    assert "AN UNDO FAILED" in played.output
    assert cluster.is_off("cp1")
    assert cluster.stopped == [], "the arrangement comes off all the same"
    assert len(cluster.pending) == 1
    (cluster.world / "stuck").unlink()
    assert cluster.play("quorate", "undo").exit_code == 0
    assert not cluster.is_off("cp1")
    assert cluster.pending == []


def test_a_second_run_is_refused(cluster: FakeCluster, experiment: Make) -> None:
    path = experiment("controls/nothing_happens")
    process = cluster.start("quorate", "run", path)
    cluster.until("sampling_started", process)
    second = cluster.play("quorate", "run", path)
    assert second.exit_code == 3, second.output
    assert "holds the lock" in second.output
    assert cluster.finished(process).exit_code == 0


def test_the_guard_undoes_at_once(cluster: FakeCluster, experiment: Make) -> None:
    def change(document: dict[str, Any]) -> None:
        long(document)
        document["extensions"][0]["abort_when"]["at_most"] = 6

    played = cluster.play("quorate", "run", experiment("vip_drop_holder", change))
    assert played.exit_code == 1, played.output
    kinds = played.kinds
    assert kinds.index("guard_tripped") < kinds.index("undo_started")
    assert played.verdict["verdict"] == "MISSED"
    times = {event["kind"]: event["t"] for event in played.events}
    assert times["undo_started"] - times["injection_started"] < 10


def guardian_of(runs: Path) -> int:
    """Process id of the guardian, found by what it guards."""
    directory = next(runs.glob("*/run.json")).parent
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().decode().split("\0")
        except OSError:
            continue
        if str(directory) in words and any("guardian_main" in word for word in words):
            return int(folder.name)
    raise AssertionError("there is no guardian")
