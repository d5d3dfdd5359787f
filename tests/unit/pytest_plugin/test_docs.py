"""docs/pytest.md shows what works."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

from tests.unit.pytest_plugin.conftest import Player, Project

pytest_plugins = ["pytester"]


def blocks(root: Path, language: str) -> list[str]:
    text = (root / "docs" / "pytest.md").read_text()
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.S)


def test_the_tests_in_it_are_tests(project: Project, player: Player, root: Path) -> None:
    (text,) = blocks(root, "python")
    project.pytester.makeconftest(
        "import pytest\n@pytest.fixture\ndef shop():\n    pytest.skip('no shop')\n"
    )
    project.pytester.makepyfile(text)
    project.run().assert_outcomes(passed=1, skipped=2)
    assert player.played == ["vip_drop_holder"]


def test_the_commands_in_it_are_commands(project: Project, player: Player, root: Path) -> None:
    lines = [line for block in blocks(root, "console") for line in block.splitlines()]
    words = [shlex.split(line.removeprefix("$ "), comments=True) for line in lines]
    commands = [one[one.index("pytest") + 1 :] for one in words if "pytest" in one]
    assert len(commands) >= 3
    for name in ("vip_drop_holder", "controls/nothing_happens", "etcd_quorum_loss"):
        project.ship(name)
    chosen = [_collected(project, command) for command in commands]
    assert chosen == [["vip_drop_holder"], ["vip_drop_holder"], []]
    assert player.played == []


def _collected(project: Project, command: list[str]) -> list[str]:
    result = project.run("--collect-only", "-q", *command, armed=False)
    assert result.ret in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
    return [line.partition("::")[2] for line in result.outlines if "::" in line]


def test_the_staging_project_asks_for_what_there_is(
    project: Project, player: Player, root: Path
) -> None:
    """Its lab test plays it; here its first half, and what it needs."""
    for name in ("conftest.py", "test_staging.py"):
        shutil.copy(root / "docs" / "examples" / "staging" / name, project.path)
    project.run("-k", "load_balancer").assert_outcomes(passed=1, deselected=1)
    assert player.played == ["haproxy_kill"]
