"""YAML with the line of every value, so that a mistake can be shown where it is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import yaml

from quorate.harness.errors import SpecError


class Lines:
    """Where each value of a document begins, counted from 1."""

    def __init__(self, root: yaml.Node | None) -> None:
        self._root = root

    def of(self, location: Sequence[int | str]) -> int:
        """The line of a value (of a key, in a mapping), or of the nearest thing around it."""
        node = self._root
        line = 1 if node is None else node.start_mark.line + 1
        for step in location:
            found = _step(node, step)
            if found is None:
                break
            line, node = found
        return line


def read_yaml(text: str, *, file: Path) -> tuple[object, Lines]:
    """The document and its lines. Raises SpecError for what is not YAML, or has a key twice."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        _refuse_twice(root, file=file)
        return yaml.safe_load(text), Lines(root)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise SpecError(
            file,
            line=None if mark is None else mark.line + 1,
            field="",
            found=error.problem or str(error),
            allowed="YAML 1.1",
        ) from error
    except yaml.YAMLError as error:
        raise SpecError(file, field="", found=str(error), allowed="YAML 1.1") from error


def _step(node: yaml.Node | None, step: int | str) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(step):
                return key.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        value = node.value[step]
        return value.start_mark.line + 1, value
    return None


def _refuse_twice(root: yaml.Node | None, *, file: Path) -> None:
    """YAML forbids the same key twice in a mapping; PyYAML silently takes the last one."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, yaml.SequenceNode):
            waiting.extend(node.value)
        if not isinstance(node, yaml.MappingNode):
            continue
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                raise SpecError(
                    file,
                    line=key.start_mark.line + 1,
                    field=str(key.value),
                    found="the same key a second time",
                    allowed="each key once",
                )
            if isinstance(key, yaml.ScalarNode):
                seen.add(key.value)
            waiting.append(value)
