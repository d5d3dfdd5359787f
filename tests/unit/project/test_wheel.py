"""The wheel holds the whole product under one import name, and starts from there."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

FOLDERS = ("experiments", "harness", "probes", "reports")


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    argv = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(argv, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(folder.glob("*.whl"))


def shipped(root: Path) -> set[str]:
    """What the wheel must hold: every file of the product, named as in the wheel."""
    git = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *FOLDERS]
    names = subprocess.run(git, cwd=root, capture_output=True, text=True, check=True).stdout
    files = {f"quorate/{name}" for name in names.splitlines() if (root / name).is_file()}
    return files | {f"quorate/{path.name}" for path in (root / "src" / "quorate").glob("*.py*")}


def test_wheel_holds_every_file_of_the_product(root: Path, wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    missing = shipped(root) - names
    assert not missing
    for part in ("go.mod", "go.sum"):
        count = sum(name.endswith(f"/{part}") for name in names)
        assert count == len(list(root.glob(f"harness/lab/gomod/*/{part}"))), part
    assert "quorate/py.typed" in names


def test_wheel_holds_one_import_name(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"quorate"}


def test_wheel_starts_without_the_tree(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    code = "import quorate, quorate.harness.errors as e; print(quorate.__file__, e.__file__)"
    argv = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {code}"]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert all(name.startswith(str(tmp_path)) for name in done.stdout.split()), done.stdout
