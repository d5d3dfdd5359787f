"""Every stored run, judged again from its files, gives its verdict byte for byte.

`stored/` holds whole run directories. Three kinds:

- a real sampler's, against a small server on the loopback that hung for 3 s; its facts about nodes
  are made up (20261123T123155Z);
- a run of the lab as it is, but for the program's path and what the judge does not read: an API
  server hung, HAProxy checked its port alone, and a third of the new connections went there for
  20 s (20261123T155517Z);
- those that cases.py and rescheduling_cases.py make up, one for each way to judge wrongly; what
  must be said of them stands there, apart from what the judge says.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from quorate.harness.judge import judge
from quorate.harness.model.verdict import Verdict
from quorate.harness.store.run_directory import RunDirectory
from tests.replay.cases import Case
from tests.replay.storing import ALL, STORED, files, folder_of

FOLDERS = sorted(path for path in STORED.iterdir() if path.is_dir())
LARGEST_BYTES = 100_000
each_case = pytest.mark.parametrize(("name", "case"), ALL.items(), ids=list(ALL))


def judged(path: Path) -> Verdict:
    run = RunDirectory.open(path)
    return judge(run.experiment(), run.timeline())


@pytest.mark.parametrize("path", FOLDERS, ids=lambda path: path.name)
def test_verdict_is_reproduced_byte_for_byte(path: Path) -> None:
    assert judged(path).to_json() == (path / "verdict.json").read_text(encoding="utf-8")


@each_case
def test_each_trap_is_judged_as_it_must_be(name: str, case: Case) -> None:
    verdict = judged(folder_of(name))
    assert verdict.verdict.value == case.expect
    states = list(case.states) or [case.expect] * len(verdict.objectives)
    if not case.broken or case.states:
        assert [one.state.value for one in verdict.objectives] == states
    for one, value in zip(verdict.objectives, case.values, strict=False):
        assert value is None or one.value == pytest.approx(value), one.indicator
    assert [gate.name for gate in verdict.gates if not gate.ok] == list(case.broken)
    for text in case.says:
        assert text in verdict.to_json()


@each_case
def test_a_stored_case_is_the_one_that_is_described(name: str, case: Case) -> None:
    stored = folder_of(name)
    made = files(name)
    found = {str(file.relative_to(stored)): file for file in stored.rglob("*") if file.is_file()}
    assert set(found) == {*made, "verdict.json"}
    assert {file: found[file].read_text(encoding="utf-8") for file in made} == made
    assert sum(file.stat().st_size for file in found.values()) < LARGEST_BYTES


def test_no_stored_case_is_left_over() -> None:
    real = {path for path in FOLDERS if not path.name.startswith("20260101T000000Z-")}
    assert {path.name.partition("-")[0] for path in real} == {
        "20261123T123155Z",
        "20261123T155517Z",
    }
    assert set(FOLDERS) - real == {folder_of(name) for name in ALL}


def test_a_real_third_of_the_requests_is_known_for_what_it_is() -> None:
    """The lab's HAProxy sent every third connection to the server that hung, for 22 s."""
    (path,) = STORED.glob("20261123T155517Z-*")
    verdict = judged(path)
    assert verdict.story.scattered
    at_one = next(one for one in verdict.clients if (one.probe, one.deadline_s) == ("api", 1.0))
    assert at_one.scattered
    assert at_one.weighted_s == pytest.approx(22.5 / 3, abs=0.1)
    reused = [one for one in verdict.clients if one.probe == "api_reused"]
    assert not any(one.scattered or one.failed for one in reused)
