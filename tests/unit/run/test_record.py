"""What a report is made of: read from disk, and never better than the disk says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from quorate.harness.errors import StoreError, UsageError
from quorate.harness.model.verdict import State
from quorate.harness.run import reporting
from quorate.harness.run.record import open_run, read_record
from quorate.harness.run.reporting import write_report
from quorate.harness.store.run_directory import RunDirectory
from tests.unit.reports.hostile_run import (
    GOOD_RUN,
    MISSED_RUN,
    Json,
    copied,
    rewritten,
    spoiled,
)

PENDING = {"id": "u", "injection": "f1", "node": "cp1", "argv": ["true"], "text": "power it on"}


def journal(path: Path, *, settled: bool, torn: str = "") -> None:
    lines: list[Json] = [{"entry": "undo", "undo": PENDING}]
    lines += [{"entry": "settled", "id": "u"}] if settled else []
    text = "".join(json.dumps(one) + "\n" for one in lines)
    (path / "undo.jsonl").write_text(torn + text)


def closed_as(path: Path, reason: str | None) -> None:
    def change(row: Json) -> Json | None:
        if row["kind"] != "run_closed":
            return row
        return None if reason is None else {**row, "data": {"reason": reason, "text": "why"}}

    rewritten(path / "events.jsonl", change)


def test_a_run_that_ended_in_order(tmp_path: Path) -> None:
    path = copied(GOOD_RUN, tmp_path)
    journal(path, settled=True)
    run = read_record(RunDirectory.open(path))
    assert (run.state, run.exit_code, run.ended) == (State.MET, 0, "completed")
    assert [one.name for one in run.phases] == ["baseline", "fault", "return"]
    assert [(one.name, round(one.start, 1), round(one.end, 1)) for one in run.faults] == [
        ("node_power_off", 11.1, 16.6)
    ]
    assert run.phase_of(12.0) == "fault"
    assert run.phase_of(0.1) == ""
    assert run.pending == ()
    assert not run.judged_now


@pytest.mark.parametrize(
    ("name", "reason", "exit_code", "state"),
    [
        (GOOD_RUN, None, 3, State.INCONCLUSIVE),
        (GOOD_RUN, "interrupted", 3, State.INCONCLUSIVE),
        (GOOD_RUN, "failed", 3, State.INCONCLUSIVE),
        (MISSED_RUN, "failed", 1, State.MISSED),
        (MISSED_RUN, "interrupted", 3, State.MISSED),
        (MISSED_RUN, "completed", 1, State.MISSED),
    ],
)
def test_how_a_run_ended_decides(
    tmp_path: Path, name: str, reason: str | None, exit_code: int, state: State
) -> None:
    """The stored verdict of the first three says MET; the events know better."""
    path = copied(name, tmp_path)
    closed_as(path, reason)
    run = read_record(RunDirectory.open(path))
    assert (run.exit_code, run.state) == (exit_code, state)
    assert bool(run.judged_now) is (reason is None)


@pytest.mark.parametrize("torn", ["", "damaged\n"])
def test_an_undo_that_is_left_outranks_all(tmp_path: Path, torn: str) -> None:
    path = copied(GOOD_RUN, tmp_path)
    journal(path, settled=bool(torn), torn=torn)
    run = read_record(RunDirectory.open(path))
    assert run.exit_code == 4
    assert run.state is State.INCONCLUSIVE
    assert bool(run.unreadable) is bool(torn)


def test_a_run_without_a_verdict_is_judged(tmp_path: Path) -> None:
    path = copied(GOOD_RUN, tmp_path)
    stored = (path / "verdict.json").read_text()
    (path / "verdict.json").unlink()
    run = read_record(RunDirectory.open(path))
    assert run.verdict.to_json() != ""
    assert run.judged_now == "the run holds no verdict.json"
    assert json.loads(run.verdict.to_json())["verdict"] == json.loads(stored)["verdict"]
    assert not (path / "verdict.json").exists(), "a report changes nothing"


def changed_verdict(path: Path, **change: object) -> None:
    file = path / "verdict.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **change}))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"run_id": "20260101T000000Z-other-0000"}, "is of another run"),
        ({"format": 2}, "format 2 is newer than this quorate's 1"),
        ({"verdict": "GREAT"}, "cannot be read"),
    ],
)
def test_a_verdict_that_is_not_this_runs(
    tmp_path: Path, change: dict[str, object], said: str
) -> None:
    path = copied(GOOD_RUN, tmp_path)
    changed_verdict(path, **change)
    with pytest.raises(StoreError, match=said):
        read_record(RunDirectory.open(path))


@pytest.mark.parametrize(
    "line",
    ['{"t": 1, "kind": "x", "data": 5}', '{"t": "x", "kind": "x", "data": {}}', "[]", "{", "nan"],
)
def test_damaged_events_are_named(tmp_path: Path, line: str) -> None:
    path = copied(GOOD_RUN, tmp_path)
    file = path / "events.jsonl"
    file.write_text(f"{line}\n{file.read_text()}")
    with pytest.raises(StoreError, match=r"events\.jsonl:1: "):
        read_record(RunDirectory.open(path))


def test_a_damaged_fingerprint_is_told_and_spared(tmp_path: Path) -> None:
    path = copied(GOOD_RUN, tmp_path)
    (path / "fingerprint.json").write_text("{}")
    run = read_record(RunDirectory.open(path))
    assert run.fingerprint is None
    assert "fingerprint.json" in run.unreadable[0]


def test_runs_are_found_by_path_by_name_or_as_the_newest(tmp_path: Path) -> None:
    older, newest = copied(GOOD_RUN, tmp_path), copied(MISSED_RUN, tmp_path)
    assert open_run(str(older), runs=tmp_path / "none").path == older
    assert open_run(GOOD_RUN, runs=tmp_path).path == older
    assert open_run(None, runs=tmp_path).path == newest
    with pytest.raises(UsageError, match="name one"):
        open_run(None, runs=tmp_path / "none")
    with pytest.raises(StoreError, match=r"run\.json"):
        open_run("none", runs=tmp_path)


def test_both_reports_are_written_beside_the_verdict(tmp_path: Path) -> None:
    path = spoiled(tmp_path)
    directory = RunDirectory.open(path)
    write_report(directory, read_record(directory).verdict)
    assert (path / "report.txt").stat().st_size > 500
    page = path / "report.html"
    assert page.read_text().startswith("<!DOCTYPE html>")
    assert page.stat().st_mode & 0o777 == 0o600


def test_a_page_that_cannot_be_made_costs_no_run_its_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = copied(GOOD_RUN, tmp_path)
    directory = RunDirectory.open(path)
    write_report(directory, directory.verdict())

    def broken(_: object) -> str:
        raise KeyError("a bug")

    monkeypatch.setattr(reporting, "render_html", broken)
    write_report(directory, directory.verdict())
    assert (path / "report.txt").exists()
    assert not (path / "report.html").exists(), "no page is left of another verdict"
    assert "cannot be made, which is a bug" in caplog.text
