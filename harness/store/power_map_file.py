"""Reads a power map (harness/model/power_map.py) and the passwords that it names."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from quorate.harness.errors import RefusedError, SpecError, UsageError
from quorate.harness.model.power_map import Machine, Password, PowerMap
from quorate.harness.model.strict import checked
from quorate.harness.store.yaml_lines import located, parse_yaml

MachineT = TypeVar("MachineT", bound=Machine)

_MAY_BE_SECRET = re.compile(r"\.(password|url)\b")


def read_machine(file: Path, node: str, *, model: type[MachineT]) -> MachineT:
    """The switch of one node; every machine of the file is checked, paths count from its folder.

    Raises SpecError with the line of a mistake, UsageError for a node that is not in it.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        way_out = "a readable power map; docs/power.md has one"
        raise SpecError(file, field="", found=str(error), allowed=way_out) from None
    document, lines = parse_yaml(text, file=file)
    with located(file, lines=lines):
        machines = _machines(checked(document, model=PowerMap), model=model)
    if node not in machines:
        raise UsageError(f"{file} has no machine {node!r}; it has: {', '.join(machines)}")
    return machines[node].below(file.absolute().parent)


def _machines(read: PowerMap, *, model: type[MachineT]) -> Mapping[str, MachineT]:
    return {
        name: _machine({**read.defaults, **own}, model=model, name=name)
        for name, own in read.machines.items()
    }


def _machine(value: Mapping[str, Any], *, model: type[MachineT], name: str) -> MachineT:
    try:
        return checked(value, model=model, prefix=("machines", name))
    except SpecError as error:
        if not _MAY_BE_SECRET.search(error.field):
            raise
        found = "what is not repeated here: it may be a password"
        raise SpecError(None, field=error.field, found=found, allowed=error.allowed) from None


def read_password(password: Password) -> str:
    """The password itself, one line of a file that nobody else may read, or a variable.

    Raises RefusedError, which names the file or the variable and never what is in it.
    """
    if password.env is not None:
        found = os.environ.get(password.env, "")
        if not found:
            raise RefusedError(f"the environment has no {password.env}, which is the password")
        return found
    assert password.file is not None
    try:
        with password.file.open(encoding="utf-8") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            found = file.read().removesuffix("\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        raise RefusedError(f"{password.file}: {reason}; it should hold the password") from None
    if mode & 0o077:
        raise RefusedError(
            f"{password.file} has mode {mode:04o}, others may read the password: "
            f"chmod 600 {password.file}"
        )
    if not found or "\n" in found:
        raise RefusedError(f"{password.file}: one line is allowed, the password")
    return found
