"""What stands in docs about the command line is understood by it."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest
import yaml

from quorate.harness import cli

PAGES = ("gate.md", "gameday.md", "reports.md", "rights.md")


def blocks(page: Path, kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


def commands(root: Path) -> list[str]:
    """Each `quorate …` of these pages' blocks, up to what a shell makes of the rest."""
    found = []
    for name in PAGES:
        for kind in ("console", "yaml", "groovy"):
            for block in blocks(root / "docs" / name, kind):
                found += re.findall(
                    r"quorate (?:gate|gameday|schedule|report|schema|rights)\b[^>|&\n]*", block
                )
    return [one.rstrip(" \\)'\"") if one.count("'") % 2 else one for one in found]


def understood(line: str) -> click.Context:
    verb, *rest = shlex.split(line)[1:]
    command = cli.quorate.get_command(click.Context(cli.quorate), verb)
    assert command is not None
    return command.make_context(verb, rest)


def test_every_command_is_understood(root: Path) -> None:
    lines = commands(root)
    assert len(lines) >= 8, "the listing is broken"
    for line in lines:
        understood(line)


def test_a_mistake_would_be_found() -> None:
    with pytest.raises(click.UsageError):
        understood("quorate gate --max-agee 24h")


def test_every_yaml_is_yaml(root: Path) -> None:
    texts = [text for name in PAGES for text in blocks(root / "docs" / name, "yaml")]
    assert len(texts) >= 3
    assert all(isinstance(yaml.safe_load(text), dict) for text in texts)


def test_a_suite_of_ones_own_is_one(root: Path, tmp_path: Path) -> None:
    from quorate.harness.run.suite import read_suite

    (text,) = blocks(root / "docs" / "gameday.md", "yaml")
    for one in yaml.safe_load(text)["experiments"]:
        (tmp_path / one["file"]).parent.mkdir(exist_ok=True)
        (tmp_path / one["file"]).touch()
    (tmp_path / "ours.yaml").write_text(text)
    assert read_suite(tmp_path / "ours.yaml").budget_s == 60


def test_the_suites_in_the_table_are_those_that_are_shipped(root: Path) -> None:
    table = re.findall(r"^\| (`.*?) \|", (root / "docs" / "gameday.md").read_text(), re.MULTILINE)
    named = {name for row in table for name in re.findall(r"`([a-z_]+)`", row)}
    shipped = {path.stem for path in (root / "experiments" / "suites").glob("*.yaml")}
    assert shipped <= named
