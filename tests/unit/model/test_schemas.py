"""The published schemas: what is shipped is what the models say, and it takes what they take."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator, ValidationError

from quorate.harness.model.schema_names import SCHEMAS
from quorate.harness.model.schemas import schema_text
from tests.replay.storing import STORED

Json = dict[str, Any]


def validator(of: str) -> Draft202012Validator:
    schema = json.loads(schema_text(of))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@pytest.mark.parametrize("of", SCHEMAS)
def test_the_published_file_is_what_the_verb_prints(root: Path, of: str) -> None:
    """`quorate schema NAME > docs/schema/NAME.schema.json` after a model has changed."""
    assert (root / "docs" / "schema" / f"{of}.schema.json").read_text() == schema_text(of)


def test_every_stored_verdict_is_valid() -> None:
    check = validator("verdict")
    for file in STORED.glob("*/verdict.json"):
        check.validate(json.loads(file.read_text()))


def test_every_shipped_experiment_is_valid(root: Path) -> None:
    check, found = validator("experiment"), 0
    for file in (root / "experiments").rglob("*.yaml"):
        if file.parent.name != "suites":
            check.validate(yaml.safe_load(file.read_text()))
            found += 1
    assert found > 30


def test_every_shipped_suite_is_valid(root: Path) -> None:
    check = validator("suite")
    suites = [yaml.safe_load(one.read_text()) for one in root.glob("experiments/suites/*.yaml")]
    assert len(suites) > 4
    for suite in suites:
        check.validate(suite)
        with pytest.raises(ValidationError):
            check.validate({**suite, "experiments": [{"file": "x.yaml", "expect": "GREEN"}]})


def _ours(document: Json) -> Json:
    return next(one for one in document["extensions"] if one["name"] == "quorate")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda x: x.update(titel="x"),
        lambda x: x.update(controls=[]),
        lambda x: x.update(extensions=[]),
        lambda x: x["method"].append({"type": "action", "name": "x", "provider": {}}),
        lambda x: _ours(x)["objectives"][0].update(indicator="longest_outage"),
        lambda x: _ours(x)["objectives"][0].update(at_least=1),
        lambda x: _ours(x)["probes"]["api"].update(rate_hz=0),
        lambda x: _ours(x).update(format=2),
    ],
)
def test_a_spoiled_experiment_is_not(root: Path, spoil: Callable[[Json], None]) -> None:
    document = yaml.safe_load((root / "experiments" / "vip_drop_holder.yaml").read_text())
    validator("experiment").validate(copy.deepcopy(document))
    spoil(document)
    with pytest.raises(ValidationError):
        validator("experiment").validate(document)


@pytest.mark.parametrize("change", [{"format": 2}, {"verdict": "GREAT"}, {"more": 1}])
def test_a_spoiled_verdict_is_not(change: Json) -> None:
    file = next(STORED.glob("*vip_drop_holder*/verdict.json"))
    with pytest.raises(ValidationError):
        validator("verdict").validate({**json.loads(file.read_text()), **change})
