"""`python3 noxfile.py`: its words, its refusals, its order. No network, no environment."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

import noxfile
from quorate.harness.lab import host as lab_host
from tests import host


@pytest.fixture
def clone(root: Path, tmp_path: Path) -> Path:
    """A tree with just what the bootstrap reads."""
    for name in ("noxfile.py", "pyproject.toml", "uv.lock"):
        shutil.copy(root / name, tmp_path)
    return tmp_path


def started(clone: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "noxfile.py", *arguments]
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        argv, cwd=clone, env=inherited | environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], ["--list"]),
        (["lint"], ["-s", "lint", "--"]),
        (["gameday", "--keep"], ["-s", "gameday", "--", "--keep"]),
        (["-s", "lint", "types"], ["-s", "lint", "types"]),
    ],
)
def test_arguments_become_those_of_nox(arguments: list[str], expected: list[str]) -> None:
    assert noxfile._nox_arguments(arguments)[2:] == expected


def test_python_without_venv_is_told_in_one_line(clone: Path) -> None:
    absent = clone / "absent"
    absent.mkdir()
    (absent / "ensurepip.py").write_text("raise ModuleNotFoundError('as Debian ships it')")
    done = started(clone, "lint", PYTHONPATH=str(absent))
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "apt-get install python3-venv" in done.stderr
    assert not (clone / ".venv").exists(), "something was created before the refusal"


def test_missing_git_is_told_in_one_line(clone: Path) -> None:
    done = started(clone, "lint", PATH=str(clone))
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "apt-get install git" in done.stderr


def test_old_python_is_told_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 2, "final", 0))
    with pytest.raises(noxfile.Unready, match=r"python3 is 3\.9; quorate needs 3\.11"):
        noxfile._require_python()


def test_the_fingerprint_follows_the_lock_file(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(noxfile, "ROOT", clone)
    before = noxfile._fingerprint()
    assert noxfile._fingerprint() == before
    with (clone / "uv.lock").open("a") as file:
        file.write("# changed\n")
    assert noxfile._fingerprint() != before


def test_a_second_start_waits_for_the_first(clone: Path) -> None:
    (clone / ".nox").mkdir()
    with (clone / ".nox" / "bootstrap.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        argv = [sys.executable, "noxfile.py", "lint"]
        with subprocess.Popen(argv, cwd=clone, stderr=subprocess.PIPE, text=True) as second:
            assert second.stderr is not None
            assert "waiting" in second.stderr.readline()
            second.send_signal(2)
            assert second.wait() == 130
            assert "goes on from here" in second.stderr.read()
    assert not (clone / ".venv").exists()


def test_a_broken_environment_does_not_work(tmp_path: Path) -> None:
    venv.create(tmp_path / "whole", with_pip=True)  # an interpreter of uv's making has no pip
    assert noxfile._works(tmp_path / "whole" / "bin" / "python")
    assert not noxfile._works(tmp_path / "bin" / "python")


def test_missing_packages_are_those_without_their_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    packages = {"there": "sh", "absent": "no-such-program", "file": "/no/such/file"}
    monkeypatch.setattr(host, "PACKAGES", packages)
    assert host.missing_packages() == ["absent", "file"]


def test_what_the_lab_asks_for_is_what_gets_installed() -> None:
    assert {*lab_host.TOOLS.values(), "mmdebstrap"} <= set(host.PACKAGES)
