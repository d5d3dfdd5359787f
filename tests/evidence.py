"""Tables under docs/evidence: rows that scripts append, and count to know where to go on."""

from __future__ import annotations

import datetime
import os
import platform
import subprocess
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import TypeVar

from quorate import __version__

ROOT = Path(__file__).resolve().parent.parent
EVIDENCE = ROOT / "docs" / "evidence"


@dataclass(frozen=True)
class Row:
    """One row as its table has it; every field is text, and the fields' names are the heads."""

    @classmethod
    def titles(cls) -> list[str]:
        """Column heads, in order."""
        return [field.name.replace("_", " ") for field in fields(cls)]

    def line(self) -> str:
        """The row as Markdown, with its newline."""
        cells = [str(cell).replace("|", "/").replace("\n", " ") for cell in astuple(self)]
        return f"| {' | '.join(cells)} |\n"


@dataclass(frozen=True)
class Stamped(Row):
    """What every row begins with."""

    date: str
    version: str
    commit: str
    machine: str

    @property
    def name(self) -> str:
        """What was tried."""
        raise NotImplementedError

    @property
    def ok(self) -> bool:
        """Whether the row speaks for quorate."""
        raise NotImplementedError


AnyRow = TypeVar("AnyRow", bound=Row)


def rows_read(table: Path, kind: type[AnyRow]) -> list[AnyRow]:
    """Rows of a table on disk; an absent file has none. A line of other width is not a row."""
    rows = []
    titles = kind.titles()
    for line in table.read_text().splitlines() if table.exists() else []:
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        ruler = set("".join(cells)) <= set("-: ")
        if line.startswith("|") and len(cells) == len(titles) and cells != titles and not ruler:
            rows.append(kind(*cells))
    return rows


def row_appended(table: Path, row: Row) -> None:
    """Append and fsync; the first row brings the heads along."""
    table.parent.mkdir(parents=True, exist_ok=True)
    titles = row.titles()
    new = not table.exists() or not rows_read(table, type(row))
    with table.open("a") as file:
        if new:
            file.write(f"| {' | '.join(titles)} |\n|{'---|' * len(titles)}\n")
        file.write(row.line())
        file.flush()
        os.fsync(file.fileno())


def today() -> str:
    """The date in UTC."""
    return f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}"


def machine() -> str:
    """This machine in a few words, without its name."""
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return f"{os.cpu_count()} cores, {gigabytes:.0f} GB, Linux {platform.release()}"


def commit() -> str:
    """Short commit of the tree, with + when it is not what was committed; - without git."""
    git = ["git", "-C", str(ROOT), "describe", "--always", "--dirty=+", "--exclude=*"]
    done = subprocess.run(git, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "-"


def stamp() -> dict[str, str]:
    """The fields that every row begins with."""
    return {
        "date": today(),
        "version": __version__,
        "commit": commit(),
        "machine": machine(),
    }
