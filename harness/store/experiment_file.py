"""Reads an experiment file; every mistake is ``file:line: field: found …, allowed: …``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from quorate.harness.errors import SpecError
from quorate.harness.model.experiment import Experiment
from quorate.harness.model.strict import path_text

_MAX_BYTES = 1_000_000
"""An experiment is a page; what is larger is some other file."""


class Words(NamedTuple):
    """The words that an experiment may use; None: any word is taken.

    Args:
        functions: function of quorate.faults → names of its arguments.
        probes: the probe catalogue → the first words of the paths that each can be asked by.
        arrangements: words for ``given``.
    """

    functions: Mapping[str, Sequence[str]] | None = None
    probes: Mapping[str, Sequence[str]] | None = None
    arrangements: Sequence[str] | None = None


ANY_WORD = Words()


def read_experiment(path: Path | str, *, words: Words = ANY_WORD) -> Experiment:
    """The experiment in the YAML (or JSON) file ``path``.

    Raises:
        SpecError: the file cannot be read, is no YAML, or says something that is not allowed.
    """
    file = Path(path)
    try:
        if file.stat().st_size > _MAX_BYTES:
            raise SpecError(
                file, field="", found=f"more than {_MAX_BYTES} bytes", allowed="an experiment"
            )
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        found = error.strerror or str(error)
        raise SpecError(file, field="", found=found, allowed="a readable file") from None
    except UnicodeDecodeError:
        raise SpecError(file, field="", found="bytes that are no UTF-8", allowed="text") from None
    return parse_experiment(text, file=file, words=words)


def parse_experiment(text: str, *, file: Path | str, words: Words = ANY_WORD) -> Experiment:
    """Like ``read_experiment``, for a text that ``file`` (named in messages) holds."""
    document, lines = parse_yaml(text, file=file)
    try:
        return Experiment.from_mapping(
            document,
            known_functions=words.functions,
            known_probes=words.probes,
            known_arrangements=words.arrangements,
        )
    except SpecError as error:
        raise SpecError(
            file,
            line=line_of(error.field, lines=lines),
            field=error.field,
            found=error.found,
            allowed=error.allowed,
        ) from None


def line_of(field: str, *, lines: dict[str, int]) -> int:
    """The line of ``field``, or of the nearest thing around it where it is missing; from 1."""
    while field and field not in lines:
        cut = max(field.rfind("."), field.rfind("["))
        field = field[: max(cut, 0)]
    return lines.get(field, 1)


def parse_yaml(text: str, *, file: Path | str) -> tuple[Any, dict[str, int]]:
    """The document and, for each field's path, its line; refuses a key that stands twice.

    Raises:
        SpecError: no YAML, or a duplicate key (PyYAML would keep the last one silently).
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
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
