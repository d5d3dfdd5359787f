"""Reading and writing ``cluster.yaml``; its shape is harness/model/cluster.py."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from quorate.harness.errors import SpecError
from quorate.harness.model.cluster import Cluster, HAProxy, Nginx, Node, Power, Ssh, VirtualIP
from quorate.harness.model.strict import path_text
from quorate.harness.store.yaml_lines import line_of, parse_yaml
from quorate.harness.undo.durable import replace_text

_WAY_OUT = "a cluster.yaml: `quorate lab up` makes one for a lab, else see docs/your-cluster.md"
_SECTIONS: dict[str, type[BaseModel]] = {
    "": Cluster,
    "virtual_ip": VirtualIP,
    "nodes": Node,
    "ssh": Ssh,
    "power": Power,
    "haproxy": HAProxy,
    "nginx": Nginx,
}


def read_cluster(path: Path) -> Cluster:
    """The cluster described in a file, with its paths made absolute.

    Relative paths count from the file's directory. Raises SpecError naming file, line, field, what
    was found and what is allowed.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SpecError(path, field="", found="no such file", allowed=_WAY_OUT) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(path, field="", found=str(error), allowed=_WAY_OUT) from error
    document, lines = parse_yaml(text, file=path)
    if not isinstance(document, dict):
        raise SpecError(path, field="", found=_shown(document), allowed=_WAY_OUT)
    try:
        cluster = Cluster.model_validate(document)
    except ValidationError as error:
        raise _explain(error, path=path, lines=lines) from error
    return _absolute(cluster, base=path.absolute().parent)


def write_cluster(cluster: Cluster, path: Path) -> None:
    """Write a cluster.yaml (mode 0600) at once: a reader sees the old file or the new one.

    Durably, since the copy in a run directory is what an undo goes by. Raises StoreError.
    """
    data = cluster.model_dump(mode="json", exclude_none=True)
    text = yaml.safe_dump(data, sort_keys=False, allow_unicode=True)
    replace_text(path, text)


def _absolute(cluster: Cluster, *, base: Path) -> Cluster:
    namespace = cluster.network_namespace
    return cluster.model_copy(
        update={
            "kubeconfig": base / cluster.kubeconfig.expanduser(),
            "network_namespace": None if namespace is None else base / namespace,
            "ca": None if cluster.ca is None else base / cluster.ca.expanduser(),
        }
    )


def _explain(error: ValidationError, *, path: Path, lines: Mapping[str, int]) -> SpecError:
    """The first mistake in the file's order, and how many there are besides."""

    def line(location: tuple[int | str, ...]) -> int:
        return line_of(path_text(location), lines=lines)

    locations = [mistake["loc"] for mistake in error.errors()]
    mistakes = [  # a list is not one more mistake because its item is one
        mistake
        for mistake in sorted(error.errors(), key=lambda one: line(one["loc"]))
        if not any(_is_inside(other, mistake["loc"]) for other in locations)
    ]
    first = mistakes[0]
    loc = first["loc"]
    allowed = first["msg"].removeprefix("Value error, ")
    found = _shown(first["input"])
    if first["type"] == "extra_forbidden":
        found = f"the unknown key {loc[-1]!r}"
        allowed = ", ".join(_SECTIONS[_section(loc[:-1])].model_fields)
    elif first["type"] == "missing":
        found = "nothing"
        allowed = "a value: this field is required"
    elif not loc:
        found = "nodes that do not fit together"
    if len(mistakes) > 1:
        allowed += f" (mistakes besides this one: {len(mistakes) - 1})"
    return SpecError(path, line=line(loc), field=path_text(loc), found=found, allowed=allowed)


def _is_inside(inner: tuple[int | str, ...], outer: tuple[int | str, ...]) -> bool:
    return bool(outer) and len(inner) > len(outer) and inner[: len(outer)] == outer


def _section(loc: tuple[int | str, ...]) -> str:
    return str(loc[0]) if loc else ""


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
