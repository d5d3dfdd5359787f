"""`quorate watch -- COMMAND`: somebody else does something, and clients are asked meanwhile."""

from __future__ import annotations

import signal
import sys
import time

from tests.contract.engine.conftest import FAKE, FakeCluster

CUT = """
import subprocess, sys, time
switch = sys.argv[1:]
for action, wait_s in (("off", 3), ("on", 0)):
    subprocess.run([*switch, action, "cp1"], check=True)
    time.sleep(wait_s)
"""


def test_nobody_noticed(cluster: FakeCluster) -> None:
    said = [sys.executable, "-c", "import time; print('rolled'); time.sleep(2)"]
    played = cluster.play("quorate", "watch", "--", *said)
    assert played.exit_code == 0, played.output
    assert "rolled" in played.output
    assert "injection_started" not in played.kinds
    assert played.kinds.index("work_started") < played.kinds.index("work_ended")
    names = {one["name"] if "name" in one else one["indicator"] for one in
             played.verdict["objectives"]}  # fmt: skip
    assert "not_whole_s" in names
    before = (played.directory / "verdict.json").read_bytes()
    assert cluster.play("quorate", "judge", str(played.directory)).exit_code == 0
    assert (played.directory / "verdict.json").read_bytes() == before


def test_what_the_command_costs_clients_is_judged(cluster: FakeCluster) -> None:
    switch = [sys.executable, str(FAKE / "power.py"), str(cluster.world)]
    bounds = ("--set", "longest_outage_s:api=0.2")
    played = cluster.play("quorate", "watch", *bounds, "--", sys.executable, "-c", CUT, *switch)
    assert played.exit_code == 1, played.output
    api = next(one for one in played.verdict["objectives"] if one["of"] == ["api"])
    assert (api["state"], api["judged_by"]) == ("MISSED", "--set")
    assert api["low"] > 0.2
    missing = next(o for o in played.verdict["objectives"] if o["indicator"] == "not_whole_s")
    assert missing["value"] > 1
    assert cluster.pending == []


def test_a_command_that_fails_is_no_pass(cluster: FakeCluster) -> None:
    played = cluster.play("quorate", "watch", "--", sys.executable, "-c", "raise SystemExit(9)")
    assert played.exit_code == 3, played.output
    assert "ended with status 9" in played.output
    assert any("ended with status 9" in note for note in played.verdict["notes"])


def test_told_to_end_it_ends_the_command_first(cluster: FakeCluster) -> None:
    mark = cluster.folder / "ended"
    script = (
        "import pathlib, signal, sys, time\n"
        "def end(*_):\n"
        f"    pathlib.Path({str(mark)!r}).touch(); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "time.sleep(600)\n"
    )
    process = cluster.start("quorate", "watch", "--", sys.executable, "-c", script)
    cluster.until("work_started", process)
    time.sleep(1)
    process.send_signal(signal.SIGTERM)
    played = cluster.finished(process)
    assert played.exit_code == 3, played.output
    assert mark.exists()
    assert cluster.pending == []
