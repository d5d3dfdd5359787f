"""The plugin on a machine where other things are tested too: it is light, and in nobody's way."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.pytest_plugin.conftest import Project

pytest_plugins = ["pytester"]

HEAVY = ("yaml", "pydantic", "chaoslib", "kubernetes", "requests", "click", "cryptography")
OURS = ("quorate", "quorate.harness", "quorate.harness.pytest_plugin")


def test_loading_it_costs_every_other_pytest_nothing() -> None:
    """What pytest itself imports is there before."""
    code = (
        "import sys, pytest; before = set(sys.modules)\n"
        "import quorate.harness.pytest_plugin\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    new = done.stdout.split()
    assert set(new) >= {*OURS}, done.stdout
    assert [name for name in new if name.partition(".")[0] in HEAVY] == []
    ours = {name for name in new if name.startswith("quorate")}
    assert ours == {*OURS, "quorate.harness.pytest_plugin.arming"}


def test_a_session_without_experiments_imports_no_more(project: Project) -> None:
    text = f"import sys\ndef test_mine():\n    assert not {{*{HEAVY!r}}} & {{*sys.modules}}\n"
    project.pytester.makepyfile(text)
    (project.path / "values.yaml").write_text("a: 1\n")
    argv = ("-p", "no:hypothesispytest", "-p", "no:cacheprovider")
    project.pytester.runpytest_subprocess(*argv).assert_outcomes(passed=1)


@pytest.mark.parametrize("mode", ["prepend", "append", "importlib"])
def test_beside_folders_called_like_ours(project: Project, mode: str) -> None:
    """A user's own `reports`, `probes`, `harness` and `tests`, which their tests import."""
    for folder in ("reports", "probes", "harness", "tests", "experiments"):
        (project.path / folder).mkdir()
        (project.path / folder / "__init__.py").write_text(f"MINE = {folder!r}\n")
    (project.path / "pytest.ini").write_text("[pytest]\npythonpath = .\n")
    (project.path / "tests" / "test_mine.py").write_text(
        "import sys\n"
        "import harness, probes, reports, tests\n"
        "def test_mine(quorate):\n"
        "    for one in (harness, probes, reports, tests):\n"
        "        assert one.MINE == one.__name__\n"
        "    import quorate.reports.text\n"
        "    assert not hasattr(sys.modules['quorate.reports'], 'MINE')\n"
    )
    (project.path / "reports" / "test_reports.py").write_text(
        "from reports import MINE\ndef test_reports():\n    assert MINE == 'reports'\n"
    )
    project.ship("vip_drop_holder")
    (project.path / "cluster.yaml").write_text("format: 1\n")
    result = project.pytester.runpytest_subprocess(
        *("-p", "no:hypothesispytest", "-p", "no:cacheprovider", f"--import-mode={mode}"),
        *("--quorate-cluster", "cluster.yaml"),
    )
    # The experiment is really played, as far as a cluster.yaml like this lets it.
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["vip_drop_holder: no answer: *cluster.yaml*name*"])
    assert not list(Path(project.path).glob("runs/*"))
