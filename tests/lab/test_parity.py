"""`chaos run` plays the same file to the same verdict, on this Python and on a newer one.

The newer one is `QUORATE_PARITY_PYTHON`, which noxfile.py sets where there is such an interpreter,
and says so loudly where there is none. Chaos Toolkit has only 0 and 1 to end with. A bad baseline
and a mistyped control are played on both against the fake cluster (tests/contract/engine).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.lab.conftest import Lab, Played

INTERPRETERS = [sys.executable]
if newer := os.environ.get("QUORATE_PARITY_PYTHON"):
    INTERPRETERS.append(newer)

pytestmark = [pytest.mark.lab, pytest.mark.parity]


@pytest.fixture(params=INTERPRETERS, ids=["this Python", "newer Python"][: len(INTERPRETERS)])
def interpreter(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def briefly(lab: Lab, folder: Path) -> Path:
    """A copy of the first experiment; more samples a second make its baseline shorter."""
    document = yaml.safe_load((lab.root / "experiments" / "vip_drop_holder.yaml").read_text())
    document["extensions"][0]["baseline_s"] = 4
    document["extensions"][0]["probes"]["api_reused"]["rate_hz"] = 60
    path = folder / "briefly.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    return path


def engine_run(lab: Lab, interpreter: str, experiment: Path, folder: Path) -> subprocess.Popen[str]:
    """`chaos run` in a folder of its own, where it leaves journal.json."""
    argv = [interpreter, "-m", "chaostoolkit", "--no-version-check", "run", str(experiment)]
    pipe = subprocess.PIPE
    return subprocess.Popen(
        argv, cwd=folder, env=lab.environment, text=True, stdout=pipe, stderr=subprocess.STDOUT
    )


def finished(process: subprocess.Popen[str], *, timeout_s: float = 600) -> tuple[int, str]:
    with process:
        output, _ = process.communicate(timeout=timeout_s)
    return process.returncode, output


def events_of(directory: Path) -> list[dict[str, Any]]:
    return Played(0, "", directory).events


def test_validate_accepts_an_experiment_and_a_control(lab: Lab, interpreter: str) -> None:
    """Every shipped one is put to the engine's own check in tests/contract."""
    folder = lab.root / "experiments"
    for path in (folder / "worker_drain.yaml", folder / "controls" / "etcd_without_quorum.yaml"):
        argv = [interpreter, "-m", "chaostoolkit", "--no-version-check", "validate", str(path)]
        done = subprocess.run(
            argv, capture_output=True, text=True, env=lab.environment, check=False
        )
        assert done.returncode == 0, f"{path.name}: {done.stdout}{done.stderr}"


def test_the_verdict_is_the_same(lab: Lab, interpreter: str, tmp_path: Path) -> None:
    before = set(lab.runs.glob("*"))
    experiment = briefly(lab, tmp_path)
    exit_code, output = finished(engine_run(lab, interpreter, experiment, tmp_path))
    made = set(lab.runs.glob("*")) - before
    assert len(made) == 1, output
    verdict = json.loads((made.pop() / "verdict.json").read_text())
    assert (exit_code, verdict["verdict"]) == (0, "MET"), output
    assert json.loads((tmp_path / "journal.json").read_text())["quorate"]["exit_code"] == 0


def test_sigterm_in_the_middle_undoes_and_fails(lab: Lab, interpreter: str, tmp_path: Path) -> None:
    before = set(lab.runs.glob("*"))
    experiment = briefly(lab, tmp_path)
    process = engine_run(lab, interpreter, experiment, tmp_path)
    directory = _run_with(lab, before, "injection_acted", process)
    process.send_signal(signal.SIGTERM)
    exit_code, output = finished(process)
    assert exit_code != 0, output
    undone = [event["data"]["ok"] for event in events_of(directory) if event["kind"] == "undo_done"]
    assert undone == [True], output


def _run_with(lab: Lab, before: set[Path], kind: str, process: subprocess.Popen[str]) -> Path:
    """Wait until the new run has an event of this kind."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        for directory in set(lab.runs.glob("*")) - before:
            path = directory / "events.jsonl"
            if path.exists() and f'"{kind}"' in path.read_text():
                return directory
        time.sleep(0.2)
    process.kill()
    raise AssertionError(f"no {kind} within 120 s:\n{finished(process)[1]}")
