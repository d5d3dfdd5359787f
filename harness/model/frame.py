"""The frame of every experiment: what Chaos Toolkit needs around our own part, demanded verbatim.

`quorate new` writes these lines. Each is needed: without the control nothing is recorded, without
the verdict probe a misspelt control would pass unseen, without the strategy `always` an
interrupted engine would not call us back (reference/chaostoolkit.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple, NoReturn

from pydantic import BeforeValidator, Field

from quorate.harness.errors import SpecError
from quorate.harness.model.given import Given
from quorate.harness.model.strict import Strict, checked, path_text, value_text

FORMAT = 1
"""Version of our part of an experiment file."""

CONTROLS = [{"name": "quorate", "provider": {"type": "python", "module": "quorate.control"}}]
RUNTIME = {"rollbacks": {"strategy": "always"}}
HYPOTHESIS = {
    "title": "Every objective below is met",
    "probes": [
        {
            "type": "probe",
            "name": "verdict",
            "tolerance": "MET",
            "provider": {"type": "python", "module": "quorate.verdict", "func": "verdict"},
        }
    ],
}

ENGINE_KEYS = ("dry",)
"""What chaoslib itself adds to the document before it hands it to a control."""


def _tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


Words = Annotated[tuple[str, ...], BeforeValidator(_tuple)]
Mappings = Annotated[tuple[dict[str, Any], ...], BeforeValidator(_tuple), Field(min_length=1)]
Arrangements = Annotated[tuple[Given, ...], BeforeValidator(_tuple)]


class _Document(Strict):
    title: Annotated[str, Field(min_length=1)]
    description: str
    tags: Words = ()
    controls: Any
    runtime: Any
    hypothesis: Any = Field(alias="steady-state-hypothesis")
    method: Mappings
    extensions: Mappings
    # For other people's probes in the method; quorate reads none of them.
    version: Any = None
    configuration: Any = None
    secrets: Any = None
    contributions: Any = None


class Plan(Strict):
    """Our part, read one level deep; its probes and objectives are read in model.experiment."""

    name: str
    format: int
    given: Arrangements = ()
    beyond_tolerance: bool = False
    baseline_s: Annotated[float, Field(allow_inf_nan=False, gt=0, le=3600)]
    probes: Annotated[dict[str, Any], Field(min_length=1)]
    objectives: Mappings
    abort_when: dict[str, Any] | None = None


class Frame(NamedTuple):
    """A document whose frame is right, with its steps and our part still to be read."""

    title: str
    description: str
    tags: tuple[str, ...]
    method: tuple[dict[str, Any], ...]
    plan: Plan
    plan_index: int


def check_frame(document: Mapping[str, Any], /) -> Frame:
    """Checks everything but the insides of the method and of our part; SpecError if wrong."""
    if not isinstance(document, Mapping):
        raise SpecError(None, field="", found=value_text(document), allowed="a mapping")
    kept = {key: value for key, value in document.items() if key not in ENGINE_KEYS}
    read = checked(kept, model=_Document)
    _demand(CONTROLS, found=read.controls, path=("controls",))
    _demand(RUNTIME, found=read.runtime, path=("runtime",))
    _demand(HYPOTHESIS, found=read.hypothesis, path=("steady-state-hypothesis",))
    _check_configuration(read.configuration)
    _check_secrets(read.secrets)
    plan, index = _plan(read.extensions)
    return Frame(read.title, read.description.strip(), read.tags, read.method, plan, index)


def _check_configuration(configuration: Any) -> None:
    """The engine asks for it before it calls our control."""
    for name, value in configuration.items() if isinstance(configuration, Mapping) else ():
        if isinstance(value, Mapping) and value.get("type") == "probe":
            raise SpecError(
                None,
                field=path_text(("configuration", str(name), "type")),
                found="'probe': it would be asked before the run's cluster is known",
                allowed="a value, or {type: env, key: NAME}; probes belong into the method",
            )


def _check_secrets(secrets: Any) -> None:
    """Of other people's probes: each a reference, since every run directory keeps a copy of the
    experiment."""
    if secrets is None:
        return
    if not isinstance(secrets, Mapping):
        raise SpecError(None, field="secrets", found=value_text(secrets), allowed="a mapping")
    for name, value in secrets.items():
        if not isinstance(value, Mapping):
            _literal(("secrets", str(name)))
        if isinstance(value.get("type"), str):
            continue
        for key, item in value.items():
            if not isinstance(item, Mapping) or not isinstance(item.get("type"), str):
                _literal(("secrets", str(name), str(key)))


def _literal(path: tuple[str | int, ...]) -> NoReturn:
    raise SpecError(
        None,
        field=path_text(path),
        found="a value that would be copied into every run directory",
        allowed="a reference: {type: env, key: NAME} or {type: vault, …}",
    )


def _plan(extensions: tuple[dict[str, Any], ...]) -> tuple[Plan, int]:
    ours = [index for index, item in enumerate(extensions) if item.get("name") == "quorate"]
    if len(ours) != 1:
        names = ", ".join(repr(item.get("name")) for item in extensions)
        raise SpecError(
            None, field="extensions", found=f"the names {names}", allowed="'quorate', exactly once"
        )
    index = ours[0]
    plan = checked(extensions[index], model=Plan, prefix=("extensions", index))
    if plan.format != FORMAT:
        raise SpecError(
            None,
            field=f"extensions[{index}].format",
            found=str(plan.format),
            allowed=f"{FORMAT} (a newer file needs a newer quorate)",
        )
    return plan, index


def _demand(expected: Any, *, found: Any, path: tuple[str | int, ...]) -> None:
    """Raises SpecError at the first place where ``found`` differs from ``expected``."""
    if isinstance(expected, dict) and isinstance(found, Mapping):
        for key in [*found, *expected]:
            if key not in expected:
                _differs(
                    path=(*path, str(key)), found="an unknown key", allowed=", ".join(expected)
                )
            if key not in found:
                _differs(path=(*path, key), found="nothing", allowed=value_text(expected[key]))
            _demand(expected[key], found=found[key], path=(*path, key))
    elif isinstance(expected, list) and isinstance(found, list):
        for index, item in enumerate(expected):
            if index >= len(found):
                _differs(path=(*path, index), found="nothing", allowed=value_text(item))
            _demand(item, found=found[index], path=(*path, index))
        if len(found) > len(expected):
            extra = (*path, len(expected))
            _differs(path=extra, found="one item more", allowed=f"{len(expected)} item(s)")
    elif expected != found:
        _differs(path=path, found=value_text(found), allowed=value_text(expected))


def _differs(*, path: tuple[str | int, ...], found: str, allowed: str) -> None:
    raise SpecError(None, field=path_text(path), found=found, allowed=f"{allowed} (verbatim)")
