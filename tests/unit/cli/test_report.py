"""`quorate report` and `quorate schema`: forms, files, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from quorate.harness.model.schemas import schema_text
from tests.unit.cli.test_cli import ended
from tests.unit.reports.hostile_run import GOOD_RUN, copied

Capture = pytest.CaptureFixture[str]


def test_text_is_what_it_was_and_json_is_the_verdict(tmp_path: Path, capfd: Capture) -> None:
    path = copied(GOOD_RUN, tmp_path)
    assert ended(["report", str(path)]) == 0
    assert capfd.readouterr().out.startswith("MET: every objective was met\nLosing the machine")
    stored = (path / "verdict.json").read_text()
    assert ended(["report", str(path), "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["verdict"] == json.loads(stored)["verdict"]
    assert ended(["report", str(path), "--format", "json"]) == 0
    assert json.loads(capfd.readouterr().out)["run_id"] == GOOD_RUN


@pytest.mark.parametrize(
    ("form", "begins"),
    [
        ("html", "<!DOCTYPE html>"),
        ("junit", "<?xml"),
        ("openmetrics", "# TYPE quorate_run info"),
        ("grafana", "["),
    ],
)
def test_each_form_goes_to_a_file(tmp_path: Path, capfd: Capture, form: str, begins: str) -> None:
    path, output = copied(GOOD_RUN, tmp_path), tmp_path / "out"
    before = sorted(one.name for one in path.iterdir())
    assert ended(["report", str(path), "--format", form, "-o", str(output)]) == 0
    assert capfd.readouterr().out == f"{output}: written\n"
    assert output.read_text().startswith(begins)
    assert sorted(one.name for one in path.iterdir()) == before, "the run is left as it was"


@pytest.mark.parametrize("target", ["none/out.xml", "."])
def test_what_cannot_be_written_is_usage(tmp_path: Path, capfd: Capture, target: str) -> None:
    path = copied(GOOD_RUN, tmp_path)
    arguments = ["report", str(path), "--format", "junit", "-o", str(tmp_path / target)]
    assert ended(arguments) == 2
    assert str(tmp_path) in capfd.readouterr().err


def test_what_is_refused(tmp_path: Path, capfd: Capture) -> None:
    path = copied(GOOD_RUN, tmp_path)
    assert ended(["report", str(path), "--json", "--format", "html"]) == 2
    assert ended(["report", str(path), "--format", "pdf"]) == 2
    day = tmp_path / "gameday-1"
    day.mkdir()
    (day / "summary.json").write_text(
        json.dumps({"format": 1, "title": "t", "exit_code": 0, "experiments": []})
    )
    assert ended(["report", str(day)]) == 2
    assert "html and junit, not text" in capfd.readouterr().err
    assert ended(["report", str(day), "--format", "html"]) == 0
    assert ended(["report", "none", "--runs", str(tmp_path)]) == 3


def test_schemas_are_printed(capfd: Capture) -> None:
    assert ended(["schema", "verdict"]) == 0
    assert capfd.readouterr().out == schema_text("verdict")
    assert ended(["schema", "everything"]) == 2
