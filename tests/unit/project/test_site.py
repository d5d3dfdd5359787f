"""The site has every page, every link leads somewhere, and what it takes from the code is there.

Sphinx is not needed: `python3 noxfile.py docs` builds the site, with warnings as errors.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import click
import pytest

from docs.site import figures, reference
from quorate.harness import cli
from quorate.harness.cluster.file import read_cluster
from tests.documented import commands as documented
from tests.documented import words_of

LINK = re.compile(r"\]\((?!\w+:)([^)\s]*)\)")
CODE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
TOCTREE = re.compile(r"^```\{toctree\}\n(.*?)^```", re.MULTILINE | re.DOTALL)
DATA = {"evidence/README", "evidence/first-start"}
"""Pages of the site among docs/evidence; the tables beside them are files to fetch."""


def tracked(root: Path, *patterns: str) -> list[Path]:
    git = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run([*git, "--", *patterns], capture_output=True, text=True, check=True)
    return [root / name for name in sorted(set(done.stdout.split("\0"))) if name]


def pages(root: Path) -> dict[str, str]:
    """Name, as a table of contents says it → text of each page of the site."""
    docs = root / "docs"
    names = {str(file.relative_to(docs).with_suffix("")): file for file in tracked(docs, "*.md")}
    kept = {name for name in names if not name.startswith("evidence/")} | DATA
    return {name: names[name].read_text(encoding="utf-8") for name in sorted(kept)}


def contents(index: str) -> list[str]:
    blocks = "\n".join(TOCTREE.findall(index)).splitlines()
    return [line for line in blocks if line and not line.startswith(":")]


def unlisted(names: set[str], index: str) -> list[str]:
    """Pages that are in no table of contents, and entries without a page."""
    return sorted((names - {"index"}) ^ set(contents(index)))


def anchors(text: str) -> set[str]:
    """As GitHub and MyST make them of headings."""
    titles = re.findall(r"^#{1,3} (.+)$", CODE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def broken(page: Path) -> list[str]:
    """Relative links of a page that lead to no file, or to no heading of it."""
    text = page.read_text(encoding="utf-8")
    found = []
    for link in LINK.findall(CODE.sub("", text)):
        path, _, anchor = link.partition("#")
        file = (page.parent / path).resolve() if path else page
        headings = anchors(file.read_text()) if anchor and file.is_file() else {anchor}
        # Tables of evidence are no pages of the site (docs/site/conf.py).
        table = file.parent.name == "evidence" and f"evidence/{file.stem}" not in DATA
        if not file.exists() or anchor not in headings or table:
            found.append(link)
    return found


def understood(words: list[str]) -> None:
    """click.UsageError where the command line would not take them."""
    command: click.Command = cli.quorate
    parent = None
    while isinstance(command, click.Group):
        context = click.Context(command, parent=parent, info_name=command.name)
        found = command.get_command(context, words[0])
        if found is None:
            raise click.UsageError(f"no verb {words[0]}")
        command, parent, words = found, context, words[1:]
    command.make_context(command.name, list(words), parent=parent)


def test_every_page_is_in_the_table_of_contents(root: Path) -> None:
    found = pages(root)
    assert len(found) > 15, "the listing is broken"
    assert unlisted(set(found), found["index"]) == []


def test_a_page_that_is_not_in_the_table_would_be_found(root: Path) -> None:
    index = pages(root)["index"]
    names = {*contents(index), "index"}
    assert unlisted(names | {"forgotten"}, index) == ["forgotten"]
    assert unlisted(names - {"gate"}, index) == ["gate"]


def test_every_relative_link_leads_somewhere(root: Path) -> None:
    files = tracked(root, "*.md")
    assert len(files) > 20, "the listing is broken"
    assert {str(file): broken(file) for file in files if broken(file)} == {}


@pytest.mark.parametrize(
    "link", ["gone.md", "there.md#no-heading", "#neither", "evidence/table.md"]
)
def test_a_link_to_nowhere_would_be_found(tmp_path: Path, link: str) -> None:
    (tmp_path / "there.md").write_text("# A heading\n")
    (tmp_path / "evidence").mkdir()
    (tmp_path / "evidence" / "table.md").write_text("| a |\n|---|\n")
    page = tmp_path / "page.md"
    page.write_text(f"# Here\n[so](there.md#a-heading) [or]({link}) [out](https://example.org/x)\n")
    assert broken(page) == [link]


def test_every_mark_of_a_page_is_made_and_all_that_is_made_is_used(root: Path) -> None:
    marks = [word for text in pages(root).values() for word in reference.MARK.findall(text)]
    assert sorted(marks) == sorted(reference.MADE)


def test_a_mark_that_nobody_makes_is_an_error() -> None:
    with pytest.raises(KeyError, match="nonsense"):
        reference.filled_in("# A\n\n<!-- made from the code: nonsense -->\n")


def test_the_reference_names_all_that_there_is(root: Path) -> None:
    told = reference.commands()
    for verb in ("run", "plan", "gameday", "gate", "undo", "lab up", "lab power"):
        assert f"`quorate {verb}`" in told
    experiments = reference.experiments()
    for file in tracked(root, "experiments/*.yaml", "experiments/controls/*.yaml"):
        if file.parent.name != "suites":
            assert f"{file.stem}`\n" in experiments
    for made in (reference.probes, reference.indicators, reference.arrangements):
        assert made().count("\n") > 5
    assert "`virtual_ip`" in reference.cluster()
    assert "UndoFailed" in reference.exit_codes()


def test_a_bar_in_a_cell_does_not_end_it() -> None:
    assert "a\\|b" in reference._table(["one"], [["a|b"]])


def test_figures_are_counted_in_the_tables(tmp_path: Path) -> None:
    row = "| 0.1.0 | refused | 1.0 | {error} | {inside} | yes |\n"
    (tmp_path / "known-answers.md").write_text(
        "| version | mode | true s | error s | inside | near |\n|---|---|---|---|---|---|\n"
        + row.format(error="+0.01", inside="yes")
        + row.format(error="-0.20", inside="NO")
        + "| a line that broke off\n"
    )
    told = figures.figures(tmp_path)
    assert "1 of 2 true lengths lie in the printed range; 2 of 2 errors" in told
    assert "largest is 0.200 s" in told
    assert "| no rows yet | `kills` |" in told


def test_the_description_of_a_cluster_is_one(root: Path, tmp_path: Path) -> None:
    (text,) = re.findall(r"^```yaml\n(.*?)^```", pages(root)["your-cluster"], re.M | re.DOTALL)
    (tmp_path / "cluster.yaml").write_text(text)
    assert len(read_cluster(tmp_path / "cluster.yaml").nodes) == 5


def test_every_command_of_the_pages_is_understood(root: Path) -> None:
    commands = map(words_of, documented(root))
    lines = [words[1:] for words, _ in commands if words[0] == "quorate"]
    assert len(lines) >= 15, "the listing is broken"
    for words in lines:
        understood(words)


@pytest.mark.parametrize("line", ["audits", "lab sleep", "run --twice x.yaml", "lab power up cp1"])
def test_a_command_that_does_not_exist_would_be_found(line: str) -> None:
    with pytest.raises(click.UsageError):
        understood(line.split())
