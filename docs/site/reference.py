"""What the site's reference says, made from the code when the site is built; Markdown.

No Sphinx here: tests call it. Texts come from docstrings, catalogues and schemas of this tree; a
mistake in them is mended there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from docs.site.figures import figures
from quorate.harness import cli, errors
from quorate.harness.faults.catalogue import ARRANGEMENTS
from quorate.harness.model.experiment import UPGRADED, Experiment
from quorate.harness.model.objectives import INDICATORS
from quorate.harness.model.schema_names import SCHEMAS
from quorate.harness.run.play import read_experiment, read_source
from quorate.harness.run.suite import read_suite
from quorate.probes.catalogue import PROBES, ways

ROOT = Path(__file__).resolve().parent.parent.parent
WIDTH = 88
"""Columns of what `--help` says, whatever the terminal."""

MARK = re.compile(r"^<!-- made from the code: ([a-z_]+) -->$", re.MULTILINE)


def filled_in(page: str) -> str:
    """The page with each of its marks replaced; KeyError for a mark that nobody makes."""
    return MARK.sub(lambda mark: MADE[mark[1]](), page)


def commands() -> str:
    """`--help` of every verb, as it is printed."""
    return "\n".join(_command(cli.quorate, "quorate", level=2))


def _command(
    command: click.Command, path: str, *, level: int, parent: click.Context | None = None
) -> Iterator[str]:
    name = path.rpartition(" ")[2]
    context = command.context_class(
        command, info_name=name, parent=parent, terminal_width=WIDTH, **command.context_settings
    )
    heading = [f"{'#' * level} `{path}`", ""] if parent else []
    yield from (*heading, "```text", command.get_help(context), "```", "")
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            deeper = level + 1 if parent else level
            yield from _command(found, f"{path} {name}", level=deeper, parent=context)


def probes() -> str:
    """The catalogue of probes."""
    rows = [
        [f"`{name}`", question.summary, _words(ways()[name]) or "a `url` of yours"]
        for name, question in sorted(PROBES.items())
    ]
    return _table(["probe", "asks", "paths begin with"], rows)


def arrangements() -> str:
    """The catalogue of arrangements, each with the shipped experiments that use it."""
    used = _shipped()
    rows = [
        [
            f"`{name}`",
            one.summary,
            _words(stem for stem, read in used.items() if name in _given(read)),
        ]
        for name, one in sorted(ARRANGEMENTS.items())
    ]
    return _table(["arrangement", "what it is", "used by"], rows)


def _given(read: Experiment) -> list[str]:
    return [one.name for one in read.given]


def indicators() -> str:
    """Each indicator with the keys that its line of an experiment may have."""
    rows = []
    for name, model in INDICATORS.items():
        keys = [
            f"`{key}`" if field.is_required() else f"`{key}` ({field.default})"
            for key, field in model.model_fields.items()
            if key != "indicator"
        ]
        rows.append([f"`{name}`", _first_line(model.__doc__), ", ".join(keys)])
    return _table(["indicator", "its bound says", "keys (what holds where one is left out)"], rows)


def experiments() -> str:
    """Every shipped experiment: what it asks, what it breaks, what must hold."""
    lines: list[str] = []
    for name, read in _shipped().items():
        lines += [f"### `{name}`", "", f"**{_prose(read.title)}.**", "", _prose(read.description)]
        lines += ["", *_facts(read), ""]
    return "\n".join(lines)


def _facts(read: Experiment) -> Iterator[str]:
    method = [f"`{step.func}`{_target(step.arguments)}" for step in read.method]
    yield f"- Method: {', '.join(method)}"
    if read.given:
        yield f"- Given: {_words(read.given)}"
    bounds = zip(read.bound_names, read.bounded, strict=True)
    yield f"- Bounds: {', '.join(f'`{name}` ≤ {one.at_most:g}' for name, one in bounds)}"
    if read.beyond_tolerance:
        yield "- Goes beyond what the cluster tolerates (`beyond_tolerance: true`)"
    yield f"- Tags: {_words(read.tags)}"


def _target(arguments: Mapping[str, Any]) -> str:
    if "target" in arguments:
        return f" on `{arguments['target']}`"
    return " until upgraded" if arguments.get("watch_until") == UPGRADED else ""


def suites() -> str:
    """What each suite plays, in order, and the verdict that it expects."""
    lines: list[str] = []
    for file in sorted((ROOT / "experiments" / "suites").glob("*.yaml")):
        suite = read_suite(file)
        rows = [[f"`{entry.file.stem}`", str(entry.expect)] for entry in suite.entries]
        lines += [f"### `{file.stem}`: {suite.title}", ""]
        lines += [_table(["experiment", "expected"], rows), ""]
    return "\n".join(lines)


def schemas() -> str:
    """The keys of each published schema, part by part, and a link to the file."""
    lines: list[str] = []
    for name in SCHEMAS:
        schema = json.loads((ROOT / "docs" / "schema" / f"{name}.schema.json").read_text())
        lines += [f"## {name}", "", f"[{name}.schema.json](../schema/{name}.schema.json)", ""]
        lines += _keys(schema)
        for part, inside in sorted(schema.get("$defs", {}).items()):
            if inside.get("properties"):
                lines += [f"### {name}: {part}", "", *_keys(inside)]
    return "\n".join(lines)


def cluster() -> str:
    """The keys of cluster.yaml."""
    schema = json.loads((ROOT / "docs" / "schema" / "cluster.schema.json").read_text())
    lines = _keys(schema)
    for part, inside in sorted(schema["$defs"].items()):
        if inside.get("properties"):
            lines += [f"### {part}", "", _prose(inside.get("description", "")), "", *_keys(inside)]
    return "\n".join(lines)


def _keys(schema: Mapping[str, Any]) -> list[str]:
    required = schema.get("required", ())
    rows = [
        [f"`{key}`", _prose(_kind(value)), _default(key, value, required=required)]
        for key, value in schema.get("properties", {}).items()
    ]
    return [_table(["key", "is", "where it is left out"], rows), ""] if rows else []


def _default(key: str, value: Mapping[str, Any], *, required: Sequence[str]) -> str:
    if key in required:
        return "required"
    default = value.get("default")
    return (
        "nothing" if default in (None, [], {}) else f"`{json.dumps(default, ensure_ascii=False)}`"
    )


def _kind(value: Mapping[str, Any]) -> str:
    """A JSON Schema in a few words."""
    if "$ref" in value:
        return str(value["$ref"]).rpartition("/")[2]
    if "const" in value:
        const = value["const"]
        return "its fixed text" if isinstance(const, list | dict) else json.dumps(const)
    if "enum" in value:
        return ", ".join(map(json.dumps, value["enum"]))
    for several in ("anyOf", "oneOf"):
        if several in value:
            kinds = [_kind(one) for one in value[several] if one.get("type") != "null"]
            return " or ".join(dict.fromkeys(kinds))
    if value.get("type") == "array":
        inside = _kind(value.get("items", {}))
        return f"a list of {inside}" if inside else "a list"
    return str(value.get("type", "anything"))


def exit_codes() -> str:
    """Every error that is raised on purpose, with its code: errors.py's own tree."""
    tree = (errors.__doc__ or "").partition("::\n")[2].partition("``str(error)``")[0]
    lines = [line.removeprefix("    ") for line in tree.strip("\n").splitlines()]
    return "\n".join(["```text", *lines, "```"]).replace("\n\n```", "\n```")


def _shipped() -> dict[str, Experiment]:
    """Name (controls/… for a control) → experiment, sorted, controls last."""
    folder = ROOT / "experiments"
    files = [*sorted(folder.glob("*.yaml")), *sorted((folder / "controls").glob("*.yaml"))]
    named = {str(file.relative_to(folder).with_suffix("")): file for file in files}
    return {name: read_experiment(read_source(file)) for name, file in named.items()}


def _words(words: Any) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _first_line(text: str | None) -> str:
    return _prose((text or "").strip().partition("\n")[0])


def _prose(text: str) -> str:
    """reStructuredText's double backticks are Markdown's single ones."""
    return " ".join(text.replace("``", "`").split())


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    # A bar would end the cell.
    cells = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    lines = [head, ["---"] * len(head), *cells]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


MADE: Mapping[str, Callable[[], str]] = {
    one.__name__: one
    for one in (
        commands,
        probes,
        arrangements,
        indicators,
        experiments,
        suites,
        schemas,
        cluster,
        exit_codes,
        figures,
    )
}
"""Word of a mark → what makes the text for it."""
