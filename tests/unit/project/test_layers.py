"""The import contracts bite: each is broken on purpose in a copy, and named in the refusal."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SENTENCES = {
    "layers": "Each layer knows only those below",
    "judge": "Judge, predict, audit, model and reports cannot reach a cluster",
    "lab": "Nothing but the command line knows the lab",
    "client": "Only drivers know the Kubernetes client",
}


@pytest.fixture
def copy(root: Path, tmp_path: Path) -> Path:
    """The product's sources and its contracts, to be spoilt."""
    for name in ("harness", "probes", "reports", "src"):
        ignored = shutil.ignore_patterns("__pycache__", "gomod")
        shutil.copytree(root / name, tmp_path / name, symlinks=True, ignore=ignored)
    shutil.copy(root / "pyproject.toml", tmp_path)
    return tmp_path


def linted(copy: Path) -> str:
    """The linter's report on the copy, one contract a line."""
    code = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    argv = [sys.executable, "-c", code, "--no-cache", "--no-logo"]
    environment = os.environ | {"PYTHONPATH": "src", "COLUMNS": "200"}
    done = subprocess.run(
        argv, cwd=copy, env=environment, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    ("module", "imported", "broken"),
    [
        ("harness/faults/catalogue.py", "quorate.probes", "layers"),
        ("probes/__init__.py", "quorate.harness.faults", "layers"),
        ("harness/model/cluster.py", "quorate.harness.undo", "layers"),
        ("harness/transport/__init__.py", "quorate.harness.drivers", "layers"),
        ("harness/judge/__init__.py", "quorate.harness.transport", "judge"),
        ("harness/judge/__init__.py", "subprocess", "judge"),
        ("reports/__init__.py", "quorate.harness.drivers", "judge"),
        ("harness/audit/facts.py", "quorate.harness.drivers", "judge"),
        ("harness/run/__init__.py", "quorate.harness.lab", "lab"),
        ("harness/cluster/file.py", "kubernetes", "client"),
    ],
)
def test_a_forbidden_import_breaks_its_contract(
    copy: Path, module: str, imported: str, broken: str
) -> None:
    with (copy / module).open("a") as file:
        file.write(f"\nimport {imported}\n")
    output = linted(copy)
    kept = [line for line in output.splitlines() if SENTENCES[broken] in line]
    assert any("BROKEN" in line for line in kept), output


def test_the_tree_as_it_is_keeps_every_contract(copy: Path) -> None:
    """Without this the tests above could pass on a copy that is broken anyway."""
    output = linted(copy)
    assert f"{len(SENTENCES)} kept, 0 broken" in output, output
