"""Reads an experiment file; every mistake is ``file:line: field: found …, allowed: …``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from quorate.harness.errors import SpecError
from quorate.harness.model.experiment import Experiment
from quorate.harness.store.yaml_lines import located, parse_yaml

_MAX_BYTES = 1_000_000
"""An experiment is a page; what is larger is some other file."""


class Words(NamedTuple):
    """The words that an experiment may use; None: any word is taken.

    Args:
        functions: function of quorate.faults → names of its arguments.
        probes: the probe catalogue → the first words of the paths that each can be asked by.
        arrangements: word for ``given`` → names of its arguments.
    """

    functions: Mapping[str, Sequence[str]] | None = None
    probes: Mapping[str, Sequence[str]] | None = None
    arrangements: Mapping[str, Sequence[str]] | None = None


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
    return check_experiment(*parse_yaml(text, file=file), file=file, words=words)


def check_experiment(
    document: Any, lines: Mapping[str, int], *, file: Path | str, words: Words
) -> Experiment:
    """Like ``parse_experiment``, for a document whose fields stand in these lines."""
    with located(file, lines=lines):
        return Experiment.from_mapping(
            document,
            known_functions=words.functions,
            known_probes=words.probes,
            known_arrangements=words.arrangements,
        )
