"""JSON Schemas of the files that people and pipelines write and read, from the models themselves.

A schema says what a file looks like; what a reader checks besides (that a probe that an objective
names is there, that a bound can be told at the declared rate) it cannot say.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from quorate.harness.model import frame
from quorate.harness.model.audit import AcceptanceFile, Audit
from quorate.harness.model.cluster import Cluster
from quorate.harness.model.experiment import Step
from quorate.harness.model.objectives import LongestOutage, Objective
from quorate.harness.model.plan_file import PlanFile
from quorate.harness.model.probe_spec import ProbeSpec
from quorate.harness.model.suite_file import EntryFile, SuiteFile
from quorate.harness.model.verdict import Verdict

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class Plan(frame.Plan):
    """Our part of an experiment, with the insides that the strict reader reads one by one."""

    name: Literal["quorate"]
    format: Literal[1]
    probes: Annotated[dict[str, ProbeSpec], Field(min_length=1)]
    objectives: Annotated[  # type: ignore[assignment]
        list[Annotated[Objective, Field(discriminator="indicator")]], Field(min_length=1)
    ]
    abort_when: LongestOutage | None = None  # type: ignore[assignment]


class Foreign(BaseModel):
    """A step of another package: it may look, never act."""

    model_config = ConfigDict(extra="allow")

    type: Literal["probe"]


def schema_text(of: str) -> str:
    """The schema of one of ``schema_names.SCHEMAS``; KeyError for another word."""
    made = {"$schema": DIALECT, **_MADE[of]()}
    return json.dumps(made, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _experiment() -> dict[str, Any]:
    """Chaos Toolkit's frame, demanded verbatim, around our part."""
    plan = Plan.model_json_schema(ref_template="#/$defs/{model}", by_alias=True)
    steps = TypeAdapter(Step | Foreign).json_schema(ref_template="#/$defs/{model}")
    definitions = {**plan.pop("$defs", {}), **steps.pop("$defs", {})}
    properties: dict[str, Any] = {
        "title": {"type": "string", "minLength": 1},
        "description": {"type": "string"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "controls": {"const": frame.CONTROLS},
        "runtime": {"const": frame.RUNTIME},
        "steady-state-hypothesis": {"const": frame.HYPOTHESIS},
        "method": {"type": "array", "minItems": 1, "items": steps},
        "extensions": {
            "type": "array",
            "contains": {"$ref": "#/$defs/Plan"},
            "items": {"if": _is_ours(), "then": {"$ref": "#/$defs/Plan"}},
        },
        **{name: {} for name in ("version", "configuration", "secrets", "contributions")},
    }
    optional = {"tags", "version", "configuration", "secrets", "contributions"}
    return {
        "title": "A quorate experiment (a Chaos Toolkit experiment)",
        "type": "object",
        "properties": properties,
        "required": sorted(set(properties) - optional),
        "additionalProperties": False,
        "$defs": {**definitions, "Plan": plan},
    }


class Suite(SuiteFile):
    """A suite, with the insides that the strict reader reads one by one."""

    experiments: Annotated[list[EntryFile], Field(min_length=1)]  # type: ignore[assignment]


def _is_ours() -> dict[str, Any]:
    return {"properties": {"name": {"const": "quorate"}}, "required": ["name"]}


_MADE: Mapping[str, Callable[[], dict[str, Any]]] = {
    "experiment": _experiment,
    "cluster": Cluster.model_json_schema,
    "suite": Suite.model_json_schema,
    "verdict": lambda: Verdict.model_json_schema(mode="serialization"),
    "audit": lambda: Audit.model_json_schema(mode="serialization"),
    "plan": PlanFile.model_json_schema,
    "acceptance": AcceptanceFile.model_json_schema,
}
