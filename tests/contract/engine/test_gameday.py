"""A whole game-day, told to end in the middle of its second experiment, and the gate after it."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from typing import Any

import yaml

from tests.contract.engine.conftest import FakeCluster
from tests.contract.engine.test_endings import long

Make = Callable[..., str]


def test_a_signal_ends_a_game_day_in_order(cluster: FakeCluster, experiment: Make) -> None:
    files = [experiment("controls/nothing_happens"), experiment("vip_drop_holder", long)]
    suite = cluster.folder / "ours.yaml"
    entries = [{"file": file, "expect": "MET"} for file in files]
    suite.write_text(yaml.safe_dump({"format": 1, "title": "Ours", "experiments": entries}))
    process = cluster.start("quorate", "gameday", str(suite))
    until_proved(cluster, process)
    assert cluster.is_off("cp1")
    process.send_signal(signal.SIGTERM)
    played = cluster.finished(process)
    assert played.exit_code == 3, played.output
    assert not cluster.is_off("cp1")
    assert cluster.stopped == []
    assert cluster.pending == []
    (file,) = (cluster.folder / "runs").glob("gameday-*/summary.json")
    summary: dict[str, Any] = json.loads(file.read_text())
    assert (summary["state"], summary["exit_code"]) == ("interrupted", 3)
    first, second = summary["experiments"]
    assert (first["verdict"], first["as_expected"]) == ("MET", True)
    assert (second["as_expected"], second["outcome"]["error"]) == (False, "Interrupted")

    asked = cluster.play("quorate", "gate", "--suite", str(suite), "--max-age", "1h")
    assert asked.exit_code == 3, asked.output
    assert "counts  nothing_happens: MET, as expected" in asked.output
    assert "vip_drop_holder: it was interrupted" in asked.output


def until_proved(cluster: FakeCluster, process: Any) -> None:
    """Wait until the fault of the second experiment bites."""
    deadline = time.monotonic() + cluster.deadline_s
    while time.monotonic() < deadline and process.poll() is None:
        for file in (cluster.folder / "runs").glob("*-vip_drop_holder-*/events.jsonl"):
            if '"injection_proved"' in file.read_text():
                return
        time.sleep(0.05)
    process.kill()
    raise AssertionError(f"nothing was proved:\n{process.communicate()[0]}")
