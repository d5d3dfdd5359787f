"""The tree keeps to its own limits, and the check would notice if it did not."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

import noxfile
import quorate
from tests.unit.project import limits
from tests.unit.project.limits import Source


def tracked(root: Path) -> list[str]:
    """Files that are committed or would be, sorted; links and what is deleted left out."""
    git = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(git, capture_output=True, text=True, check=True).stdout.split("\0")
    paths = [name for name in sorted(set(names)) if name]
    return [name for name in paths if (root / name).is_file() and not (root / name).is_symlink()]


def source(root: Path, name: str) -> Source:
    return Source(name, (root / name).read_text(errors="replace"))


def python(text: str, *, path: str = "harness/run/open.py") -> list[str]:
    return limits.complaints(Source(path, text))


def test_every_python_file_keeps_to_the_limits(root: Path) -> None:
    files = [source(root, name) for name in tracked(root) if name.endswith(".py")]
    assert len(files) > 10, "the listing is broken"
    assert [line for each in files for line in limits.complaints(each)] == []


def test_no_file_knows_one_machine_or_one_registry(root: Path) -> None:
    names = [name for name in tracked(root) if name != "uv.lock" and not name.endswith("go.sum")]
    assert [line for name in names for line in limits.foreign(source(root, name))] == []


def test_changelog_tells_of_this_version(root: Path) -> None:
    headings = re.findall(r"^## \[(.+?)\]", (root / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert quorate.__version__ in headings[1:2], "the newest version in CHANGELOG.md is another"


def test_lock_file_names_the_public_index_only(root: Path) -> None:
    packages = tomllib.loads((root / "uv.lock").read_text())["package"]
    indexes = {package["source"].get("registry") for package in packages} - {None}
    assert indexes == {"https://" + ".".join(("pypi", "org")) + "/simple"}
    assert noxfile._locked_version("uv"), "the bootstrap installs the uv that is locked"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("def f():\n" + "    x = 1\n" * 70, "f has 71 lines"),
        ("x = 1\n" * 401, "module has 401 lines"),
        ("def f(a, b, c, *, d, e, g): ...", "f has 6 parameters"),
        ("class NodeManager: ...", "no manager"),
        ("def ssh_helper(): ...", "no helper"),
        ("chaosRunner = 1", "no chaos"),
        ("import os as os_utils", "no utils"),
        ("def f(monkey): ...", "no monkey"),
        ("try:\n    f()\nexcept Exception:\n    pass", "except Exception in the module"),
        ("def g():\n  try:\n    f()\n  except (OSError, Exception):\n    raise", "in g"),
        ("try:\n    f()\nexcept:\n    pass", "except everything"),
        ("try:\n    f()\nexcept BaseException:\n    pass", "except BaseException"),
    ],
)
def test_a_breach_is_found(text: str, complaint: str) -> None:
    found = python(text)
    assert len(found) == 1
    assert complaint in found[0]


@pytest.mark.parametrize(
    "text",
    [
        "def f():\n" + "    x = 1\n" * 69,
        "class C:\n    def f(self, a, b, c, d, e): ...",
        "@click.command()\ndef f(a, b, c, d, e, g): ...",
        "def test_f(a, b, c, d, e, g): ...",
        "from chaoslib.run import run_experiment",
        "try:\n    f()\nexcept BaseException:\n    g()\n    raise",
    ],
)
def test_what_is_allowed_is_not_complained_about(text: str) -> None:
    assert python(text) == []


def test_the_broad_catch_is_bound_to_its_place() -> None:
    text = "def settle():\n    try:\n        f()\n    except Exception:\n        pass\n"
    assert python(text, path="harness/undo/settle.py") == []
    assert python(text, path="harness/undo/journal.py") != []
    assert python(text.replace("settle", "other"), path="harness/undo/settle.py") != []


def test_a_module_name_is_a_name_too() -> None:
    assert python("", path="harness/run/time_utils.py") == [
        "harness/run/time_utils.py:1: module is named time_utils: no utils"
    ]


@pytest.mark.parametrize(
    ("line", "is_foreign"),
    [
        ("cd /wor" + "k/main", True),
        ("cache in /ro" + "ot/.cache/x", True),
        ("index https://py" + "pi.org/simple", True),
        ("/ho" + "me/anna/quorate", True),
        ("/root/.ssh/authorized_keys in a node", False),
        ("${HOME}/work/x", False),
        ("docs/work/notes", False),
    ],
)
def test_foreign_places_and_hosts_are_found(line: str, is_foreign: bool) -> None:
    assert bool(limits.foreign(Source("a.md", line))) is is_foreign
