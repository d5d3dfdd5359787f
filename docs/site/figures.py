"""Figures of "How we measure", counted in the tables of docs/evidence when the site is built.

Nothing is remembered here: a table with other rows gives other figures, and one without rows a line
that says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

EVIDENCE = Path(__file__).resolve().parent.parent / "evidence"

Row = Mapping[str, str]


def rows_of(text: str) -> list[Row]:
    """The rows of the first table in a page, each as head → cell; a line of other width is none."""
    cells = [
        [cell.strip() for cell in line.strip().strip("|").split(" | ")]
        for line in text.splitlines()
        if line.startswith("|")
    ]
    head, rows = (cells or [[]])[0], cells[2:]
    return [dict(zip(head, row, strict=True)) for row in rows if len(row) == len(head)]


def figures(folder: Path = EVIDENCE) -> str:
    """One line for each table that has something to count."""
    lines = ["| question | answer | table |", "| --- | --- | --- |"]
    for name, (question, answer) in QUESTIONS.items():
        file = folder / f"{name}.md"
        rows = rows_of(file.read_text(encoding="utf-8")) if file.is_file() else []
        # path: they are no pages of the site but files that come with it.
        link = f"[{name}](path:evidence/{name}.md)" if file.is_file() else f"`{name}`"
        lines.append(f"| {question} | {answer(rows) if rows else 'no rows yet'} | {link} |")
    return "\n".join(lines)


def _known_answers(rows: Sequence[Row]) -> str:
    inside = _count(rows, "inside", "yes")
    near = _count(rows, "near", "yes")
    most = max(abs(float(row["error s"])) for row in rows)
    return (
        f"{inside} of {len(rows)} true lengths lie in the printed range; {near} of {len(rows)} "
        f"errors are within what is allowed; the largest is {most:.3f} s, of outages from "
        f"{min(_lengths(rows)):.1f} to {max(_lengths(rows)):.1f} s"
    )


def _lengths(rows: Sequence[Row]) -> list[float]:
    return [float(row["true s"]) for row in rows]


def _observer(rows: Sequence[Row]) -> str:
    agree = _count(rows, "agrees", "agrees")
    most = max(float(row["apart s"]) for row in rows)
    return f"{agree} of {len(rows)} runs agree (0.1 s); at most {most:.2f} s apart"


def _predicted(rows: Sequence[Row]) -> str:
    inside, kept = _count(rows, "outside", "none"), _count(rows, "lost", "none")
    met = _count(rows, "verdict", "MET")
    return (
        f"in {inside} of {len(rows)} runs every measured number lies in its predicted range (less "
        f"a tenth of its upper end); {met} are MET; in {kept} no check of data safety failed"
    )


def _experiments(rows: Sequence[Row]) -> str:
    return f"{_count(rows, 'as expected', 'yes')} of {len(rows)} came out as their suite expects"


def _ended(rows: Sequence[Row]) -> str:
    whole, clean = _count(rows, "whole", "yes"), _count(rows, "left", "nothing")
    return (
        f"the cluster was whole after {whole} of {len(rows)}; the scan of all nodes found nothing "
        f"left after {clean}"
    )


def _shapes(rows: Sequence[Row]) -> str:
    return "; ".join(f"{row['as expected']} with `{row['lab']}`" for row in rows)


def _judge(rows: Sequence[Row]) -> str:
    return (
        f"{rows[-1]['s']} s and {rows[-1]['MB']} MB for a million samples ({rows[-1]['machine']})"
    )


def _lab(rows: Sequence[Row]) -> str:
    last = rows[-1]
    return f"{last['up s']} s with a filled cache, {last['disk GB']} GB ({last['machine']})"


def _count(rows: Sequence[Row], head: str, word: str) -> int:
    return sum(row[head] == word for row in rows)


def _costs(rows: Sequence[Row]) -> str:
    return f"{_count(rows, 'inside', 'yes')} of {len(rows)} measured costs lie in the interval told"


QUESTIONS: Mapping[str, tuple[str, Callable[[Sequence[Row]], str]]] = {
    "known-answers": ("Outages whose true length is known", _known_answers),
    "observer": ("Beside an independent observer", _observer),
    "observer-40hz": ("The same, when the observer asked 40 times a second", _observer),
    "predicted": ("Predicted against measured", _predicted),
    "experiments": ("Shipped experiments and controls", _experiments),
    "audit-costs": ("What the audit says that a misconfiguration costs, and what it cost", _costs),
    "topologies": (
        "Game-days on other labs, or with the least rights",
        _shapes,
    ),
    "kills": ("Runs killed (SIGKILL) at a random instant", _ended),
    "signals": ("Runs told to end (SIGINT, SIGTERM)", _ended),
    "reboots": ("Node rebooted, harness and guardian gone", _ended),
    "judge": ("Judging a stored run again", _judge),
    "lab": ("A lab of six machines is whole after", _lab),
}
"""Table → what it is about, and how its rows are counted."""
