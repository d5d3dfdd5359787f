"""One Chromium for all tests of pages: the host's own, since none is downloaded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from quorate.harness.run.index import write_index
from quorate.harness.run.reporting import write_report
from quorate.harness.store.run_directory import RunDirectory
from quorate.reports.html import render_html
from tests import host
from tests.unit.reports.hostile_run import GOOD_RUN, MISSED_RUN, copied, hostile_record


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = host.chromium()
    assert program is not None, "tests/conftest.py lets no browser test begin without one"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program)
        yield started
        started.close()


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Name → file: a run that was met, one that was missed, a hostile one, and a game-day."""
    runs = tmp_path_factory.mktemp("runs")
    found = {}
    for name, run in (("met", GOOD_RUN), ("missed", MISSED_RUN)):
        directory = RunDirectory.open(copied(run, runs))
        write_report(directory, directory.verdict())
        found[name] = directory.path / "report.html"
    found["hostile"] = tmp_path_factory.mktemp("hostile") / "report.html"
    record = hostile_record(found["hostile"].parent)
    found["hostile"].write_text(render_html(record), encoding="utf-8")
    found["index"] = write_index(_game_day(runs))
    return found


def _game_day(runs: Path) -> Path:
    folder = runs / "gameday-1"
    folder.mkdir()
    experiments = [
        {
            "experiment": f"experiments/{file}.yaml",
            "expected": expected,
            "as_expected": True,
            "outcome": {"exit_code": 0, "verdict": expected, "run": str(runs / run), "reason": ""},
        }
        for file, expected, run in (
            ("vip_drop_holder", "MET", GOOD_RUN),
            ("controls/apiserver_pause_tcp_checked", "MISSED", MISSED_RUN),
        )
    ]
    summary = {"format": 1, "title": "Core", "exit_code": 0, "experiments": experiments}
    (folder / "summary.json").write_text(json.dumps(summary))
    return folder
