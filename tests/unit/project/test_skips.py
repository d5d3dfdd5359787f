"""The rule of tests/conftest.py: what cannot run is said; in CI it is a failure."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import conftest, host

INNER = """
import pytest
from tests.conftest import pytest_runtest_makereport, pytest_runtest_setup
"""
DEMANDING = """
import pytest
@pytest.mark.go
def test_demanding():
    pytest.skip("the machine is on fire")
def test_modest():
    pytest.skip("not today")
"""


def inner_run(root: Path, folder: Path, *, ci: str) -> subprocess.CompletedProcess[str]:
    (folder / "conftest.py").write_text(INNER)
    (folder / "test_inner.py").write_text(DEMANDING)
    argv = [sys.executable, "-m", "pytest", "-q", "-c", str(root / "pyproject.toml"), str(folder)]
    environment = os.environ | {"CI": ci, "PYTHONPATH": str(root)}
    argv += ["--rootdir", str(folder), "--confcutdir", str(folder)]
    return subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.go
def test_ci_turns_a_skip_of_a_demanding_test_into_a_failure(root: Path, tmp_path: Path) -> None:
    done = inner_run(root, tmp_path, ci="true")
    assert "1 failed, 1 skipped" in done.stdout
    assert "CI=true and a test marked go skipped" in done.stdout
    assert "the machine is on fire" in done.stdout


@pytest.mark.go
def test_elsewhere_it_stays_a_skip(root: Path, tmp_path: Path) -> None:
    done = inner_run(root, tmp_path, ci="")
    assert "2 skipped" in done.stdout
    assert done.returncode == 0


def test_the_reason_names_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "PACKAGES", {"runc": "no-such-program"})
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    missing = "; ".join(conftest.missing_here({"lab"}))
    assert "root" in missing
    assert "apt-get install runc" in missing
    assert conftest.missing_here(set()) == []
