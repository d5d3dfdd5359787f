"""Reads the findings of an audit that somebody has explained (``quorate audit --accept``).

::

    format: 1
    accepted:
      - id: coredns-without-budget
        of: kube-system/coredns          # a node or an object, or a pattern like cp*
        reason: kubeadm makes none, and nobody drains two nodes at once here
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from quorate.harness.errors import SpecError
from quorate.harness.model.audit import Acceptance, AcceptanceFile
from quorate.harness.model.strict import checked
from quorate.harness.store.yaml_lines import line_of, located, parse_yaml


def read_acceptances(file: Path, *, known: Collection[str]) -> tuple[Acceptance, ...]:
    """The entries; SpecError with the line for a mistake and for a rule that is not ``known``."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(file, field="", found=str(error), allowed="a readable file") from None
    document, lines = parse_yaml(text, file=file)
    with located(file, lines=lines):
        entries = checked(document, model=AcceptanceFile).accepted
    for index, one in enumerate(entries):
        if one.id not in known:
            field = f"accepted[{index}].id"
            line = line_of(field, lines=lines)
            allowed = "an id of docs/audit.md"
            raise SpecError(file, line=line, field=field, found=repr(one.id), allowed=allowed)
    return tuple(entries)
