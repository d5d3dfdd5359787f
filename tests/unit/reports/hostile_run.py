"""A run directory in which every text that a cluster could have chosen is an attack."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from quorate.harness.judge import judge
from quorate.harness.run.record import read_record
from quorate.harness.store.run_directory import RunDirectory
from quorate.reports.record import RunRecord
from tests.replay.storing import STORED

GOOD_RUN = "20261123T123155Z-vip_drop_holder-0a79"
MISSED_RUN = "20261123T155517Z-apiserver_pause_tcp_checked-9e9b"

ATTACK = (
    "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"' onload='alert(3)' ]]> "
    "{{7*7}} <!--<script>\x1b[31mred\x00\x08\u202egnp.exe\u2028\n# EOF\nquorate_fake 1\r\n\ud800\\"
)
LONG = "n" * 10_000

Json = dict[str, Any]


def copied(name: str, folder: Path) -> Path:
    """A copy of a stored run that a test may spoil."""
    return Path(shutil.copytree(STORED / name, folder / name))


def rewritten(file: Path, change: Callable[[Json], Json | None]) -> None:
    """Change each line of a file of JSON lines; a line of which None comes is left out."""
    rows = [change(json.loads(line)) for line in file.read_text().splitlines()]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows if row is not None))


def spoiled(folder: Path) -> Path:
    """The run directory."""
    path = copied(GOOD_RUN, folder)
    rewritten(path / "events.jsonl", _event)
    rewritten(path / "samples" / "api.jsonl", lambda row: {**row, "d": ATTACK, "p": LONG})
    identity = json.loads((path / "run.json").read_text())
    identity |= {"cluster": ATTACK, "experiment_file": f"x/{ATTACK}.yaml", "argv": [ATTACK, LONG]}
    (path / "run.json").write_text(json.dumps(identity))
    sampler = {
        "complete": True,
        "policy": ATTACK,
        "problem": LONG,
        "vantages": {ATTACK: {"node": 1}},
    }
    (path / "sampler.json").write_text(json.dumps(sampler))
    settings = {ATTACK: LONG, "image": ATTACK}
    prints = {"id": "", "cluster": settings, "nodes": {ATTACK: settings}, "missing": [ATTACK]}
    (path / "fingerprint.json").write_text(json.dumps(prints))
    undo = {"id": "u1", "injection": ATTACK, "node": ATTACK, "argv": [ATTACK], "text": ATTACK}
    lines = [{"entry": "undo", "undo": undo}, {"entry": "settled", "id": "u1"}]
    (path / "undo.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (path / "verdict.json").unlink()
    return path


def _event(row: Json) -> Json:
    data = dict(row["data"])
    for key in ("evidence", "state", "text", "title", "formula"):
        if key in data:
            data[key] = ATTACK
    if row["kind"] == "injection_started":
        data |= {"fault": ATTACK, "nodes": [ATTACK, LONG]}
        data["commands"] = [{"node": ATTACK, "argv": ["sh", ATTACK]}, "no command", {"argv": 3}]
    return {**row, "data": data}


def hostile_record(folder: Path) -> RunRecord:
    """The same, read and judged."""
    directory = RunDirectory.open(spoiled(folder))
    verdict = judge(directory.experiment(), directory.timeline())
    texts = {"title": ATTACK, "notes": (ATTACK, LONG)}
    return read_record(directory, verdict=verdict.model_copy(update=texts))


def record_of(name: str) -> RunRecord:
    """A stored run, as it lies here."""
    return read_record(RunDirectory.open(STORED / name))
