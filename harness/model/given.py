"""One arrangement as an experiment asks for it: a word, or a word with arguments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import GetJsonSchemaHandler, model_serializer, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from quorate.harness.model.strict import Strict, value_text


class Given(Strict):
    """In YAML `one_coredns`, or `{vrrp_script_slow: {interval_s: 3, fall: 10}}`; so in JSON too."""

    name: str
    arguments: Mapping[str, Any] = {}

    @model_validator(mode="before")
    @classmethod
    def _read(cls, value: object) -> object:
        if isinstance(value, str):
            return {"name": value}
        if isinstance(value, Mapping) and len(value) == 1:
            ((name, arguments),) = value.items()
            if isinstance(arguments, Mapping):
                return {"name": name, "arguments": dict(arguments)}
        raise PydanticCustomError(
            "given", "Input should be a word, or {word: {argument: value}}", {}
        )

    @model_serializer
    def _written(self) -> str | dict[str, dict[str, Any]]:
        return {self.name: dict(self.arguments)} if self.arguments else self.name

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        arguments = {"type": "object"}
        return {
            "anyOf": [
                {"type": "string"},
                {
                    "type": "object",
                    "additionalProperties": arguments,
                    "minProperties": 1,
                    "maxProperties": 1,
                },
            ]
        }

    def __str__(self) -> str:
        said = ", ".join(f"{name}: {value_text(one)}" for name, one in self.arguments.items())
        return f"{self.name} {{{said}}}" if said else self.name
