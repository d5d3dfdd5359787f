"""The scripts that lay a file over another, with a mount and a systemctl that note what they do."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from quorate.harness.drivers.files import cover_argv, cover_by_argv

FILE_MODE = 0o640


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """A file to which programs write what they were called with."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("mount", "systemctl", "nsenter"):
        program = programs / name
        program.write_text(f'#!/bin/sh\necho "{name} $*" >> "$NOTES"\n')
        program.chmod(0o755)
    return tmp_path / "notes"


def played(argv: Sequence[str], notes: Path) -> int:
    environment = {"PATH": f"{notes.parent}/bin:/usr/bin:/bin", "NOTES": str(notes)}
    return subprocess.run(argv, env=environment, check=False, stderr=subprocess.PIPE).returncode


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "kubelet.conf"
    path.write_text("    server: https://192.0.2.100:8443\n")
    path.chmod(FILE_MODE)
    return path


def test_what_a_command_prints_is_laid_over_the_file(file: Path, notes: Path) -> None:
    folder = file.parent / "run"
    argv = ("sed", "-E", "s#^( *server:).*#\\1 https://192.0.2.1:6443#", str(file))
    laid = folder / file.name
    assert played(cover_by_argv(str(file), argv, folder=str(folder)), notes) == 0
    assert laid.read_text() == "    server: https://192.0.2.1:6443\n"
    assert laid.stat().st_mode & 0o777 == FILE_MODE, "as the file's own"
    assert notes.read_text() == f"mount --bind {laid} {file}\n"


@pytest.mark.parametrize("argv", [["false"], ["true"]])
def test_what_prints_nothing_or_fails_is_laid_over_nothing(
    argv: Sequence[str], file: Path, notes: Path
) -> None:
    folder = str(file.parent / "run")
    assert played(cover_by_argv(str(file), argv, folder=folder, unit="kubelet"), notes) != 0
    assert not notes.exists()


def test_the_unit_reads_it_or_is_started_anew(file: Path, notes: Path) -> None:
    folder = str(file.parent / "run")
    made = (
        cover_argv(str(file), "text", folder=folder, unit="kubelet"),
        cover_by_argv(str(file), ["echo", "text"], folder=folder, unit="kubelet"),
    )
    for argv in made:
        notes.unlink(missing_ok=True)
        assert played(argv, notes) == 0
        assert notes.read_text().splitlines()[-1] == "systemctl reload-or-restart kubelet"
