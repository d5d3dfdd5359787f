"""Planted secrets: whole runs, ended well and badly, and none of them in any file or output.

And what those runs ask of the API is what the table of rights grants.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from quorate.harness.model.access import access_of
from quorate.harness.model.rights import granting
from quorate.harness.undo.sudo_password import VARIABLE
from tests.contract.engine.conftest import FakeCluster
from tests.contract.engine.test_endings import long
from tests.contract.engine.test_vantage import asked_from

Make = Callable[..., str]

TOKEN = "planted-token-7f3a"
SUDO = "planted sudo 9c1e"
WEBHOOK = "planted-hook-5d22"
ENVIRONMENT = "planted-environment-b8b8"
IN_URL = "planted-in-url-e0e0"
PLANTED = (TOKEN, SUDO, WEBHOOK, ENVIRONMENT, IN_URL)
HOLDERS = ("kubeconfig", "token", "sudo", "key.pem")
"""Of the fake world: where the secrets are at home."""


@pytest.fixture(autouse=True)
def _shown_with_a_token(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Before the servers start, which read it."""
    if "cluster" in request.fixturenames:
        (tmp_path / "world").mkdir(exist_ok=True)
        (tmp_path / "world" / "token").write_text(TOKEN)


@pytest.fixture
def planted(cluster: FakeCluster) -> FakeCluster:
    """A token in place of the certificate, an ordinary user, and words in the environment."""
    world = cluster.world
    (world / "sudo").write_text(SUDO)
    kubeconfig = yaml.safe_load((world / "kubeconfig").read_text())
    kubeconfig["users"][0]["user"] = {"token": TOKEN}
    (world / "kubeconfig").write_text(yaml.safe_dump(kubeconfig))
    described = yaml.safe_load((world / "cluster.yaml").read_text())
    described["ssh"] = {"user": "ops", "sudo": True}
    (world / "cluster.yaml").write_text(yaml.safe_dump(described))
    cluster.environment.update(
        {
            VARIABLE: SUDO,
            "SOME_PASSWORD": ENVIRONMENT,
            "QUORATE_WEBHOOK": f"http://127.0.0.1:9/{WEBHOOK}",
        }
    )
    return cluster


def found_in(folder: Path, *outputs: str) -> list[str]:
    """Where a secret stands."""
    files = [one for one in folder.rglob("*") if one.is_file() and one.name not in HOLDERS]
    assert any(one.name == "events.jsonl" for one in files), "the listing is broken"
    texts = {str(one): one.read_bytes() for one in files}
    texts |= {f"output {number}": text.encode() for number, text in enumerate(outputs)}
    return [
        f"{word}: {where}"
        for where, text in texts.items()
        for word in PLANTED
        if word.encode() in text
    ]


def open_to_others(*folders: Path) -> list[str]:
    paths = [one for folder in folders for one in folder.rglob("*")]
    assert len(paths) > 10, "the listing is broken"
    return [str(one) for one in paths if one.stat().st_mode & 0o077 and not one.is_symlink()]


def test_a_run_under_the_engine_leaves_no_secret(planted: FakeCluster, experiment: Make) -> None:
    """With a probe on a node, by sudo with a password and by a token; its report too."""
    file = experiment("vip_drop_holder", asked_from("node:surviving-control-plane"))
    played = planted.play("chaos", "run", file)
    assert played.kinds[-1] == "run_closed", played.output
    assert played.events[-1]["data"]["reason"] == "completed", played.output
    reports = [
        planted.play("quorate", "report", str(played.directory), "--format", form).output
        for form in ("html", "junit", "json", "text")
    ]
    assert found_in(planted.folder, played.output, *reports) == []
    assert open_to_others(planted.folder / "runs", planted.folder / "state") == []
    copied = yaml.safe_load(played.text_of("cluster.yaml"))
    assert copied["ssh"] == {"user": "ops", "options": [], "sudo": True}, "an undo goes by it"
    asked = {
        access_of(*line.split()) for line in (planted.world / "asked").read_text().splitlines()
    }
    assert len(asked) > 10, "the recording is broken"
    assert [str(one) for one in sorted(asked) if granting(one) is None] == []


def test_what_goes_wrong_tells_no_secret(planted: FakeCluster, experiment: Make) -> None:
    """A machine that does not come back, in a game-day whose webhook cannot be reached; then an
    undo by another process, which is given the password anew."""
    (planted.world / "stuck").touch()
    file = experiment("controls/vip_drop_holder_without_backups")
    suite = planted.folder / "ours.yaml"
    entries = [{"file": file, "expect": "MISSED"}]
    suite.write_text(yaml.safe_dump({"format": 1, "title": "Ours", "experiments": entries}))
    day = planted.play("quorate", "gameday", str(suite))
    assert day.exit_code == 4, day.output
    assert "the webhook at 127.0.0.1 did not take a message" in day.output
    assert planted.is_off("cp1")
    (planted.world / "stuck").unlink()
    undone = planted.play("quorate", "undo")
    assert undone.exit_code == 0, undone.output
    assert not planted.is_off("cp1")
    assert found_in(planted.folder, day.output, undone.output) == []
    assert open_to_others(planted.folder / "runs", planted.folder / "state") == []


def test_the_guardian_comes_through_sudo_alone(planted: FakeCluster, experiment: Make) -> None:
    process = planted.start("quorate", "run", experiment("vip_drop_holder", long))
    planted.until("injection_proved", process)
    assert planted.stopped == ["cp2", "cp3"], "what is to be undone by ssh"
    process.kill()
    output = process.communicate()[0]
    deadline = time.monotonic() + 30
    while planted.pending and time.monotonic() < deadline:
        time.sleep(0.1)
    assert planted.pending == []
    assert planted.stopped == []
    assert found_in(planted.folder, output) == []


def test_what_is_refused_tells_no_secret(planted: FakeCluster, experiment: Make) -> None:
    def url(document: dict[str, Any]) -> None:
        probe = {"probe": "url_reachability", "url": f"https://u:{IN_URL}@shop.example/"}
        document["extensions"][0]["probes"]["page"] = {**probe, "connection": "new", "rate_hz": 5}

    file = experiment("controls/nothing_happens", url)
    refused = planted.play("quorate", "run", file)
    assert refused.exit_code == 2, refused.output
    assert IN_URL not in refused.output
    planted.environment[VARIABLE] = f"not {SUDO}"
    file = experiment("controls/nothing_happens")
    wrong = planted.play("quorate", "run", file)
    assert wrong.exit_code == 3, wrong.output
    assert "cp1: sudo does not let ops run" in wrong.output
    assert "NOPASSWD: ALL" in wrong.output
    (planted.world / "kubeconfig").write_text(f"users: {{token: {TOKEN}")
    broken = planted.play("quorate", "run", file)
    assert broken.exit_code == 3, broken.output
    assert found_in(planted.folder, wrong.output, broken.output) == []


def test_a_client_key_is_left_nowhere(cluster: FakeCluster, experiment: Make) -> None:
    """The servers demand a token here, so the run ends badly; the key was in use by then."""
    played = cluster.play("quorate", "run", experiment("controls/nothing_happens"))
    assert played.exit_code == 3, played.output
    key = (cluster.world / "key.pem").read_text().splitlines()[1]
    for file in cluster.folder.rglob("*"):
        if file.is_file() and file.name != "key.pem":
            assert key.encode() not in file.read_bytes(), file
    assert key not in played.output


def test_a_secret_would_be_found(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_text(json.dumps({"text": f"x{TOKEN}y"}))
    assert len(found_in(tmp_path, f"<{SUDO}>")) == 2
    for number in range(11):
        os.close(os.open(tmp_path / f"{number}", os.O_CREAT | os.O_WRONLY, 0o600))
    assert open_to_others(tmp_path) == [str(tmp_path / "events.jsonl")]
