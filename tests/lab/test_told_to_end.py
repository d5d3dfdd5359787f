"""SIGTERM in the middle of a suite, on real machines: what is on comes off, and it is told.

The same under `chaos run` is in test_parity.py; on the fake cluster all of it in tests/contract.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from quorate.harness.undo.journal import JOURNAL_NAME, UndoJournal
from tests.lab import residue
from tests.lab.conftest import WHOLE_S, Lab, Played, assert_nothing_is_left, eventually
from tests.lab.killing import proved

pytestmark = pytest.mark.lab

FIRST, SECOND = "haproxy_kill", "etcd_isolate"


@pytest.fixture
def suite(lab: Lab, tmp_path: Path) -> Path:
    """Two shipped experiments whose baselines are as short as 300 samples allow."""
    entries = []
    for name in (FIRST, SECOND):
        document = yaml.safe_load((lab.root / "experiments" / f"{name}.yaml").read_text())
        ours = document["extensions"][0]
        ours["baseline_s"] = 4
        ours["probes"]["api_reused"]["rate_hz"] = 60
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
        entries.append({"file": f"{name}.yaml", "expect": "MET"})
    path = tmp_path / "two.yaml"
    path.write_text(yaml.safe_dump({"format": 1, "title": "Two", "experiments": entries}))
    return path


def told_to_end(lab: Lab, argv: Sequence[str], folder: Path) -> Played:
    """The command's second run, which is sent SIGTERM as soon as its fault is proved to bite."""
    before = set(lab.runs.glob(f"*-{SECOND}-*"))
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        argv, cwd=folder, env=lab.environment, text=True, stdout=pipe, stderr=subprocess.STDOUT
    )
    deadline = time.monotonic() + 240
    try:
        while True:
            made = set(lab.runs.glob(f"*-{SECOND}-*")) - before
            if made and proved(next(iter(made))):
                break
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < deadline, "its second fault was never proved"
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=180)
    finally:
        process.kill()
        process.wait()
    return Played(process.returncode, output, made.pop())


def assert_interrupted(lab: Lab, played: Played, untouched: residue.Untouched) -> None:
    assert not UndoJournal(played.directory / JOURNAL_NAME).pending(), played.output
    assert played.oks("undo_done") == [True], played.output
    assert played.verdict["verdict"] == "INCONCLUSIVE"
    assert "interrupted" in (played.directory / "report.txt").read_text()
    assert_nothing_is_left(lab, untouched)


def test_a_game_day_is_interrupted_and_resumed(
    lab: Lab, untouched: residue.Untouched, suite: Path, tmp_path: Path
) -> None:
    eventually("the cluster is whole", lab.is_whole, timeout_s=WHOLE_S)
    played = told_to_end(lab, lab.argv("gameday", str(suite)), tmp_path)
    assert played.exit_code == 3, played.output
    assert_interrupted(lab, played, untouched)
    (file,) = lab.runs.glob("gameday-*-two-*/summary.json")
    summary: dict[str, Any] = json.loads(file.read_text())
    assert (summary["state"], summary["exit_code"]) == ("interrupted", 3)
    first = summary["experiments"][0]
    assert (first["verdict"], first["as_expected"]) == ("MET", True), played.output
    assert "interrupted" in file.with_name("index.html").read_text()

    lab.run("gameday", str(suite), "--resume")
    summary = json.loads(file.read_text())
    assert (summary["state"], summary["exit_code"]) == ("finished", 0)
    again = summary["experiments"][0]
    assert (again["run"], again["before"]) == (first["run"], True), "it was not played again"


def test_a_session_of_pytest_ends(
    lab: Lab, untouched: residue.Untouched, suite: Path, tmp_path: Path
) -> None:
    eventually("the cluster is whole", lab.is_whole, timeout_s=WHOLE_S)
    options = ("--quorate-cluster", str(lab.cluster), "--junitxml=junit.xml")
    argv = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", suite.name, *options]
    played = told_to_end(lab, argv, tmp_path)
    assert played.exit_code == 2, played.output
    assert_interrupted(lab, played, untouched)
    cases = ElementTree.parse(tmp_path / "junit.xml").getroot().iter("testcase")
    told = [[one.tag for one in case if one.tag in ("error", "failure")] for case in cases]
    assert told == [[], ["error"]]
