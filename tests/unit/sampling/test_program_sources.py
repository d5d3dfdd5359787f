"""The sampler's program may be put anywhere: old Pythons, no packages."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

import quorate.harness.sampling.program as program

FILES = sorted(Path(program.__file__).parent.glob("*.py"))
OLDEST = (3, 8)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_source_is_for_old_pythons_and_imports_the_standard_library_only(file: Path) -> None:
    tree = ast.parse(file.read_text(), feature_version=OLDEST)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            assert (node.module or "").split(".")[0] in sys.stdlib_module_names
        if isinstance(node, ast.Import):
            assert all(alias.name.split(".")[0] in sys.stdlib_module_names for alias in node.names)


def test_the_program_is_there() -> None:
    assert {"main.py", "loop.py", "link.py", "probe.py"} <= {file.name for file in FILES}
