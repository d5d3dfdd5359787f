"""YAML with the line of every field, so that a mistake can be shown where it is."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from quorate.harness.errors import SpecError
from quorate.harness.model.strict import path_text


def parse_yaml(text: str, *, file: Path | str) -> tuple[Any, dict[str, int]]:
    """The document and, for each field's path, its line; refuses a key that stands twice.

    Raises:
        SpecError: no YAML, or a duplicate key (PyYAML would keep the last one silently).
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        raise SpecError(
            file,
            line=mark.line + 1 if mark is not None else None,
            field="",
            found=str(getattr(error, "problem", None) or "something unreadable"),
            allowed="YAML",
        ) from None
    lines: dict[str, int] = {}
    if root is not None:
        _collect(root, path=(), lines=lines, file=file)
    return document, lines


def line_of(field: str, *, lines: Mapping[str, int]) -> int:
    """The line of ``field``, or of the nearest thing around it where it is missing; from 1."""
    while field and field not in lines:
        cut = max(field.rfind("."), field.rfind("["))
        field = field[: max(cut, 0)]
    return lines.get(field, 1)


@contextlib.contextmanager
def located(file: Path | str, *, lines: Mapping[str, int]) -> Iterator[None]:
    """Whatever SpecError is raised inside is about this file, at the line of its field."""
    try:
        yield
    except SpecError as error:
        raise SpecError(
            file,
            line=line_of(error.field, lines=lines),
            field=error.field,
            found=error.found,
            allowed=error.allowed,
        ) from None


def _collect(
    node: yaml.Node, *, path: tuple[str | int, ...], lines: dict[str, int], file: Path | str
) -> None:
    lines.setdefault(path_text(path), node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _collect(item, path=(*path, index), lines=lines, file=file)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            below = (*path, str(key.value))
            field, line = path_text(below), key.start_mark.line + 1
            if field in lines:
                raise SpecError(
                    file, line=line, field=field, found="the key a second time", allowed="it once"
                )
            lines[field] = line
            _collect(value, path=below, lines=lines, file=file)
