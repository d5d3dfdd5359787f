"""A stranger's staging project: two files, the installed wheel, and the lab as its cluster.

docs/examples/staging is that project, and docs/pytest.md tells of it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.lab import residue
from tests.lab.conftest import WHOLE_S, Lab, assert_nothing_is_left, eventually

pytestmark = pytest.mark.lab

OURS = ("PYTHONPATH", "QUORATE_CLUSTER", "QUORATE_RUNS", "PYTEST_ADDOPTS")
"""What would lead the stranger's pytest back to this tree, or arm it by itself."""


def run(*argv: str | Path, cwd: Path, timeout_s: float = 300) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name not in OURS}
    return subprocess.run(
        [str(word) for word in argv],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def done(*argv: str | Path, cwd: Path) -> str:
    """What a command that must succeed says."""
    ran = run(*argv, cwd=cwd)
    assert ran.returncode == 0, f"{argv}: {ran.stdout}{ran.stderr}"
    return ran.stdout


@dataclass(frozen=True)
class Staging:
    """The project's folder, and its own Python with quorate's wheel."""

    folder: Path
    python: Path

    def pytest(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        argv = (self.python, "-m", "pytest", "-ra", "--junitxml=junit.xml", *arguments)
        return run(*argv, cwd=self.folder, timeout_s=800)

    @property
    def report(self) -> ElementTree.Element:
        return ElementTree.parse(self.folder / "junit.xml").getroot()


@pytest.fixture(scope="module")
def staging(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Staging:
    """Made as a person would: a wheel, a virtual environment, two files.

    The versions are those of uv.lock, which are in uv's cache since this tree's own were made.
    """
    made = tmp_path_factory.mktemp("staging")
    uv = Path(sys.executable).with_name("uv")
    done(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", made, cwd=root)
    fixed = ("--locked", "--no-dev", "--no-emit-project", "--no-header")
    (made / "versions.txt").write_text(done(uv, "export", "--quiet", *fixed, cwd=root))
    done(uv, "venv", "--quiet", "--python", sys.executable, made / "venv", cwd=made)
    python = made / "venv" / "bin" / "python"
    install = (uv, "pip", "install", "--quiet", "--python", python)
    done(*install, "--requirements", made / "versions.txt", cwd=made)
    done(*install, "--no-deps", next(made.glob("*.whl")), cwd=made)
    folder = made / "project"
    shutil.copytree(root / "docs" / "examples" / "staging", folder)
    for file in folder.iterdir():
        if file.suffix != ".py":
            file.unlink()
    return Staging(folder, python)


def outcomes(report: ElementTree.Element) -> dict[str, Sequence[str]]:
    """Testcase → what it came to, beside passing."""
    words = ("failure", "error", "skipped")
    return {
        case.attrib["name"]: [one.tag for one in case if one.tag in words]
        for case in report.iter("testcase")
    }


def test_the_wheel_is_what_is_used(staging: Staging) -> None:
    where = done(
        staging.python, "-c", "import quorate; print(quorate.__file__)", cwd=staging.folder
    )
    assert str(staging.python.parent.parent) in where


def test_unarmed_it_breaks_nothing_and_says_why(staging: Staging) -> None:
    ran = staging.pytest()
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "2 skipped" in ran.stdout
    assert "--quorate-cluster=FILE" in ran.stdout
    assert set(map(tuple, outcomes(staging.report).values())) == {("skipped",)}


def test_armed_it_plays_two_experiments_and_reports_their_numbers(
    lab: Lab, staging: Staging, untouched: residue.Untouched
) -> None:
    eventually("the cluster is whole", lab.is_whole, timeout_s=WHOLE_S)
    ran = staging.pytest("--quorate-cluster", lab.cluster)
    if ran.returncode and "INCONCLUSIVE prober" in ran.stdout:  # a busy machine: it says so itself
        eventually("the cluster is whole", lab.is_whole, timeout_s=WHOLE_S)
        ran = staging.pytest("--quorate-cluster", lab.cluster)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert list(outcomes(staging.report).values()) == [[], []]
    found = {one.attrib["name"]: one.attrib["value"] for one in staging.report.iter("property")}
    assert found["release"] == "unknown"
    for name in ("haproxy_kill", "inject_etcd_kill"):
        assert found[f"{name}/verdict"] == "MET"
        about = f"{name}/longest_outage_s:api:fault:1s"
        assert float(found[f"{about}.low"]) <= float(found[about]) <= float(found[f"{about}.high"])
        run_directory = Path(found[f"{name}/run"])
        assert run_directory.parent == staging.folder / "runs"
        before = (run_directory / "verdict.json").read_bytes()
        lab.run("judge", str(run_directory))
        assert (run_directory / "verdict.json").read_bytes() == before
    assert_nothing_is_left(lab, untouched)
