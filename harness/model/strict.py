"""Strict reading: unknown keys are errors, and every error names the field and what is allowed.

Pydantic's own messages name its own types; people need the word that was found, the words that are
allowed and the path of the field, which a reader of files turns into a line number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError

from quorate.harness.errors import SpecError

StrictT = TypeVar("StrictT", bound="Strict")

# .inf and .nan bound nothing.
Number = Annotated[float, Field(allow_inf_nan=False)]

_USER_IN_URL = re.compile(r"//\S*@")
FOUND_CHARS = 80
"""How much of a wrong value a message repeats."""


class Strict(BaseModel):
    """Base of everything read from files: frozen, typed strictly, no key that is not declared."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_keys(cls, value: object) -> object:
        if not isinstance(value, Mapping):
            return value  # pydantic says what it wants instead
        allowed = [field.alias or name for name, field in cls.model_fields.items()]
        for key in value:
            if key not in allowed:
                raise PydanticCustomError(
                    "unknown_key",
                    "unknown key",
                    {"key": str(key), "allowed": ", ".join(allowed)},
                )
        return value


def path_text(path: tuple[str | int, ...]) -> str:
    """``("probes", "api", 0)`` → ``probes.api[0]``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else str(part)
    return text


def value_text(value: object) -> str:
    """A wrong value as a person reads it: its type where it is not a scalar, and cut short; of a
    URL without the user and the password in it."""
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return f"a mapping with {', '.join(map(str, value)) or 'no keys'}"[:FOUND_CHARS]
    if isinstance(value, str | bool | int | float):
        return _USER_IN_URL.sub("//…@", repr(value))[:FOUND_CHARS]
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    return type(value).__name__


def spec_error(
    error: ValidationError, *, prefix: tuple[str | int, ...] = (), file: Path | str | None = None
) -> SpecError:
    """The first complaint of ``error`` as a SpecError whose field path starts with ``prefix``."""
    first = error.errors(include_url=False)[0]
    path = (*prefix, *first["loc"])
    kind, context = first["type"], first.get("ctx", {})
    if kind == "unknown_key":
        path, found = (*path, context["key"]), f"the unknown key {context['key']!r}"
        allowed = context["allowed"]
    elif kind == "missing":
        found, allowed = "nothing", "a value (the key is required)"
    elif kind == "literal_error":
        found = value_text(first["input"])
        allowed = str(context["expected"]).replace("'", "").replace(" or ", ", ")
    else:
        found, allowed = value_text(first["input"]), _allowed(first)
    return SpecError(file, field=path_text(path), found=found, allowed=allowed)


def _allowed(details: ErrorDetails) -> str:
    message = details["msg"]
    for start in ("Input should be ", "Value error, ", "Input should "):
        if message.startswith(start):
            return message[len(start) :]
    return message


def checked(value: object, *, model: type[StrictT], prefix: tuple[str | int, ...] = ()) -> StrictT:
    """``value`` as a ``model``; raises SpecError with the field's path below ``prefix``."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise spec_error(error, prefix=prefix) from None
