"""A test that cannot run here says what is missing, and CI takes no excuse.

A test marked `lab` or `host` needs root on Linux and the host packages that host.py lists; one
marked `go` needs a Go toolchain, one marked `browser` a Chromium.
Missing: a failure where CI=true, a skip that names what is missing anywhere else. In CI every other
skip of such a test counts as a failure as well: a green run means that the lab was really there.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from tests import host

ROOT = Path(__file__).resolve().parent.parent
STRICT = os.environ.get("CI") == "true"
DEMANDING = ("lab", "host", "go", "browser")


def pytest_configure() -> None:
    """Whoever starts us in the background (a CI runner, a shell's `&`) makes us ignore SIGINT, and
    every process that a test starts would inherit that: Ctrl-C could not be tested."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def missing_here(marks: set[str]) -> list[str]:
    """What this host lacks for a test with these marks, in words that say what to do."""
    missing = []
    if marks & {"lab", "host"}:
        if sys.platform != "linux":
            return [f"Linux (this is {sys.platform})"]
        if os.geteuid() != 0:
            missing.append("root (it makes namespaces, mounts and cgroups)")
        packages = host.missing_packages()
        if packages:
            missing.append(f"host packages: apt-get install {' '.join(packages)}")
    if "go" in marks and shutil.which("go") is None:
        missing.append("Go: apt-get install golang-go")
    if "browser" in marks and host.chromium() is None:
        missing.append("Chromium: apt-get install chromium")
    return missing


def _demands(item: pytest.Item) -> set[str]:
    return {mark.name for mark in item.iter_markers()} & set(DEMANDING)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip, or in CI fail, before any fixture of such a test is set up."""
    if missing := missing_here(_demands(item)):
        pytest.skip(f"needs {'; '.join(missing)}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a skip of a demanding test is a failure, whoever raised it."""
    report = yield
    excused = hasattr(report, "wasxfail")
    if STRICT and report.skipped and not excused and (marks := _demands(item)):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"CI=true and a test marked {', '.join(sorted(marks))} skipped: {reason}"
    return report


@pytest.fixture(scope="session")
def root() -> Path:
    """The top of the tree."""
    return ROOT
