"""A game-day's page: what was played, which claims that tests, and which it does not."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from quorate.harness.errors import StoreError
from quorate.harness.faults.catalogue import FAULTS
from quorate.harness.model.touch import Part, Way
from quorate.harness.model.verdict import State
from quorate.harness.run.forms import rendered
from quorate.harness.run.index import read_day, write_index
from quorate.harness.run.reporting import write_report, write_suite_report
from quorate.harness.store.run_directory import RunDirectory
from quorate.reports.index import coverage
from tests.unit.reports.hostile_run import ATTACK, GOOD_RUN, MISSED_RUN, Json, copied
from tests.unit.reports.test_html import Page, outside

CONTROL = "experiments/controls/apiserver_pause_tcp_checked.yaml"


def entry(run: Path | None, *, experiment: str, expected: str, came_to: str | None) -> Json:
    outcome = {
        "exit_code": {"MET": 0, "MISSED": 1}.get(str(came_to), 3),
        "verdict": came_to,
        "run": str(run) if run else None,
        "reason": "",
        "error": "",
    }
    as_expected = expected == came_to
    return {
        "experiment": f"/x/{experiment}",
        "expected": expected,
        "as_expected": as_expected,
        "outcome": outcome if came_to else None,
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A game-day: one met, one control, one whose run directory is gone, one not played."""
    good, missed = copied(GOOD_RUN, tmp_path), copied(MISSED_RUN, tmp_path)
    for path in (good, missed):
        directory = RunDirectory.open(path)
        write_report(directory, directory.verdict())
    made = tmp_path / "gameday-20261127T090000Z-core-1a2b"
    made.mkdir()
    write_summary(
        made,
        experiments=[
            entry(good, experiment="vip_drop_holder.yaml", expected="MET", came_to="MET"),
            entry(missed, experiment=CONTROL, expected="MISSED", came_to="MISSED"),
            entry(tmp_path / "gone", experiment="etcd_kill.yaml", expected="MET", came_to="MISSED"),
            entry(None, experiment="haproxy_kill.yaml", expected="MET", came_to=None),
        ],
    )
    return made


def write_summary(folder: Path, **change: object) -> None:
    file = folder / "summary.json"
    whole = {"format": 1, "suite": "core", "title": "Core", "ended": "2026", "exit_code": 1}
    whole |= json.loads(file.read_text()) if file.exists() else {}
    file.write_text(json.dumps({**whole, **change}))


def test_every_experiment_is_told_with_its_verdict_and_its_link(folder: Path) -> None:
    index = write_index(folder)
    page = Page(index.read_text())
    assert index.name == "index.html"
    assert "2 of 4 as expected" in page.text
    links = [str(one["href"]) for tag, one in page.tags if tag == "a" and ".html" in str(one)]
    assert set(links) == {f"../{GOOD_RUN}/report.html", f"../{MISSED_RUN}/report.html"}
    assert all((folder / link).is_file() for link in links)
    assert "etcd_kill MISSED MET: NOT AS EXPECTED" in page.text
    assert "haproxy_kill no verdict MET: NOT AS EXPECTED not played" in page.text
    assert "no run directory of quorate" in page.text
    assert "3.00 s (2.94 to 3.05), at most 5 s" in page.text


def test_what_was_tested_and_what_was_not(folder: Path) -> None:
    day = read_day(folder)
    cells = coverage(day)
    power_off = cells[Part.MACHINE, Way.SILENT]
    assert [one.name for one in power_off.tested] == ["vip_drop_holder"]
    hung = cells[Part.APISERVER, Way.HUNG]
    assert hung.tested == [], "a control is no test of the claim"
    assert [one.name for one in hung.controls] == ["apiserver_pause_tcp_checked"]
    assert hung.faults == ["apiserver_pause"]
    for way in (Way.LEFT, Way.ENDED, Way.HUNG):
        assert "vip_drop" in cells[Part.KEEPALIVED, way].faults, "in each way it can be put on"
    text = Page(write_index(folder).read_text()).text
    assert f"{len(FAULTS) - 1} of the {len(FAULTS)} faults of the catalogue were not put on" in text
    assert "not tested (apiserver_pause)" in text
    assert "quorate has no fault for it" in text
    assert "control apiserver_pause_tcp_checked: MISSED, as expected" in text


def test_every_fault_with_a_claim_stands_in_the_matrix(folder: Path) -> None:
    cells = coverage(read_day(folder))
    told = {fault for cell in cells.values() for fault in cell.faults}
    assert {name for name, fault in FAULTS.items() if fault.touches is not None} <= told
    assert len(told) > 20


def test_a_game_day_that_was_copied_finds_its_runs(folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path.parent / f"{tmp_path.name}-copied"
    tmp_path.rename(elsewhere)
    day = read_day(elsewhere / folder.name)
    assert [one.run is not None for one in day.entries] == [True, True, False, False]
    assert day.entries[0].link == f"../{GOOD_RUN}/report.html"


def test_an_undo_that_failed_is_said_on_top(folder: Path) -> None:
    write_summary(folder, exit_code=4)
    text = Page(write_index(folder).read_text()).text
    assert "An undo failed: the cluster may still be faulted" in text


def test_hostile_summaries_stay_texts(folder: Path) -> None:
    write_summary(folder, title=ATTACK, ended=ATTACK, reason=ATTACK)
    page = Page(write_index(folder).read_text())
    tags = [tag for tag, _ in page.tags]
    assert "script" not in tags
    assert "img" not in tags
    assert set(outside(page)) == {
        f"a href=../{name}/report.html" for name in (GOOD_RUN, MISSED_RUN)
    }


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": 2}, "format 2 is newer"),
        ({"experiments": [{"experiment": "x"}]}, "damaged"),
        ({"experiments": 5}, "damaged"),
        ({"exit_code": "x"}, "damaged"),
    ],
)
def test_a_damaged_or_newer_summary_is_named(
    folder: Path, change: dict[str, object], said: str
) -> None:
    write_summary(folder, **change)
    with pytest.raises(StoreError, match=rf"summary\.json: .*{said}"):
        write_index(folder)


def test_a_game_day_as_junit(folder: Path) -> None:
    text = rendered(str(folder), runs=folder.parent, form="junit")
    cases = list(ET.fromstring(text).iter("testcase"))
    bad = [[one.tag for one in case if one.tag in ("failure", "error")] for case in cases]
    assert bad == [[], [], ["error"], ["error"]]
    assert cases[1].get("name") == "apiserver_pause_tcp_checked"


def test_the_states_of_entries(folder: Path) -> None:
    first, second, third, fourth = read_day(folder).entries
    assert (first.state, second.state, third.state, fourth.state) == (
        State.MET,
        State.MISSED,
        State.MISSED,
        None,
    )
    assert (first.is_control, second.is_control) == (False, True)


def test_what_stopped_a_game_day_and_what_was_not_played(folder: Path) -> None:
    """As gameday_folder.py writes it."""
    rows = json.loads((folder / "summary.json").read_text())["experiments"]
    rows[3]["not_played"] = "the game-day was interrupted"
    write_summary(
        folder,
        experiments=rows,
        state="interrupted",
        why="the game-day was interrupted",
        ended=None,
        budget_s=60,
        spent_s=12.5,
    )
    text = Page(write_index(folder).read_text()).text
    assert "interrupted: the game-day was interrupted; error budget: 12.5 s of 60 s spent" in text
    assert "not played: the game-day was interrupted" in text
    assert "ended None" not in text


def test_a_page_that_cannot_be_made_ends_no_game_day(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_suite_report(folder)
    assert (folder / "index.html").exists()
    (folder / "summary.json").write_text("{")
    write_suite_report(folder)
    assert "summary.json: cannot be read" in caplog.text
