"""Yes or no: what counts as evidence, and each reason for which a run is none."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from quorate.harness.judge.clearance import decide
from quorate.harness.model.clearance import Asked, Clearance, Question, StoredRun, age_text
from quorate.harness.model.fingerprint import Fingerprint
from quorate.harness.model.verdict import State

MET, MISSED, OPEN = State.MET, State.MISSED, State.INCONCLUSIVE
NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ADVERT = "keepalived vrrp_instance api advert_int"


def fingerprint(*, cp2: str = "1", missing: tuple[str, ...] = ()) -> Fingerprint:
    nodes = {"cp1": {ADVERT: "1"}, "cp2": {ADVERT: cp2}}
    return Fingerprint.of({"virtual IP": "192.0.2.9 port 8443"}, nodes, missing=missing)


DROP = Asked("vip_drop", MET, {"method": ["a"], "objectives": [{"at_most": 5}]})
CONTROL = Asked("control", MISSED, {"method": ["b"], "objectives": []})

GOOD = StoredRun(
    "r-drop",
    "vip_drop",
    cluster="lab",
    started=NOW - 2 * HOUR,
    ended=NOW - 2 * HOUR + timedelta(minutes=1),
    closed="completed",
    content=DROP.content,
    fingerprint=fingerprint(),
    verdict=MET,
    because="every objective was met",
)
MISSED_RUN = replace(GOOD, run="r-missed", verdict=MISSED, because="longest_outage_s 7 s > 5 s")
CONTROL_RUN = replace(
    GOOD,
    run="r-control",
    name="control",
    content=CONTROL.content,
    verdict=MISSED,
    because="as meant",
)


def asked(*runs: StoredRun, of: tuple[Asked, ...] = (DROP,), **changes: Any) -> Clearance:
    question = Question(
        suite="core",
        cluster="lab",
        asked=of,
        fingerprint=fingerprint(),
        max_age_s=24 * 3600,
        now=NOW,
    )
    return decide(replace(question, **changes), runs)


def test_yes_when_each_came_out_as_expected_controls_included() -> None:
    said = asked(GOOD, CONTROL_RUN, of=(DROP, CONTROL))
    assert said.state is MET
    assert [one.run for one in said.standings] == ["r-drop", "r-control"]
    assert said.standings[0].age_s == 7200
    assert said.undecided == ()


def test_no_when_an_objective_was_missed() -> None:
    said = asked(MISSED_RUN, CONTROL_RUN, of=(DROP, CONTROL))
    assert said.state is MISSED
    assert said.standings[0].reason == "MISSED, expected MET: longest_outage_s 7 s > 5 s"


def test_a_missed_objective_outranks_what_is_missing() -> None:
    assert asked(MISSED_RUN, of=(DROP, CONTROL)).state is MISSED


def test_no_when_nothing_is_asked() -> None:
    assert asked(GOOD, of=()).state is OPEN


def test_no_when_there_is_no_run() -> None:
    said = asked(CONTROL_RUN)
    assert said.state is OPEN
    assert said.standings[0].reason == "there is no run of it"
    assert said.undecided == (0,)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"problem": "run.json is damaged"}, "cannot be read: run.json is damaged"),
        ({"cluster": "other"}, "it is of another cluster, 'other'"),
        ({"started": NOW - 25 * HOUR}, "it is 25 h 0 min old, at most 24 h 0 min is allowed"),
        ({"started": NOW + HOUR, "ended": NOW + 2 * HOUR}, "from the future, by 2 h 0 min"),
        ({"ended": NOW + timedelta(minutes=5)}, "from the future, by 5 min"),
        (
            {"content": {"method": ["a"], "objectives": [{"at_most": 500}]}},
            "the experiment, or a bound of it, has changed since: objectives",
        ),
        ({"content": None}, "has changed since: method, objectives"),
        ({"ended": None, "closed": "", "verdict": None}, "it crashed, or is still under way"),
        ({"fingerprint": None}, "what the cluster ran then is not known: it holds no fingerprint"),
        (
            {"fingerprint": fingerprint(missing=("haproxy.cfg on cp1",))},
            "what the cluster ran then is not known: haproxy.cfg on cp1",
        ),
        ({"closed": "interrupted"}, "it was interrupted"),
        ({"closed": "refused", "verdict": OPEN}, "it was refused"),
        ({"verdict": None}, "it holds no verdict"),
        ({"verdict": OPEN, "because": "prober: 9 of 20 unknown"}, "INCONCLUSIVE: prober: 9 of 20"),
    ],
)
def test_a_run_that_is_no_evidence_gives_no_yes(changes: dict[str, Any], reason: str) -> None:
    said = asked(replace(GOOD, **changes))
    assert said.state is OPEN
    assert reason in said.standings[0].reason
    assert said.standings[0].run is None
    assert [one.run for one in said.standings[0].passed_over] == ["r-drop"]


@pytest.mark.parametrize(
    "changes",
    [
        {"started": NOW - 24 * HOUR, "ended": NOW - 23 * HOUR},
        {"ended": NOW + timedelta(seconds=1)},
        {"name": ""},  # under `chaos`, which hands over no file: known by what it asks
    ],
)
def test_what_is_just_allowed_counts(changes: dict[str, Any]) -> None:
    assert asked(replace(GOOD, **changes)).state is MET


def test_a_changed_configuration_voids_and_is_told_to_the_letter() -> None:
    said = asked(GOOD, fingerprint=fingerprint(cp2="3"))
    assert said.state is OPEN
    assert said.standings[0].reason == "configuration changed: keepalived advert_int 1 → 3 on cp2"


def test_a_changed_configuration_voids_a_no_as_well() -> None:
    assert asked(MISSED_RUN, fingerprint=fingerprint(cp2="3")).state is OPEN


def test_no_when_the_cluster_cannot_be_read_as_a_whole() -> None:
    said = asked(GOOD, fingerprint=fingerprint(missing=("files of cp3: no route",)))
    assert said.state is OPEN
    assert said.problems == (
        "what the cluster runs now is not known as a whole: files of cp3: no route",
    )
    assert "nothing can be compared" in said.standings[0].reason


def test_no_while_something_may_be_left_on_the_cluster() -> None:
    said = asked(GOOD, pending=("runs/x",))
    assert said.state is OPEN
    assert "quorate undo" in said.problems[0]
    assert said.standings[0].state is MET


def test_the_newest_run_that_counts_decides() -> None:
    newer = replace(MISSED_RUN, started=NOW - HOUR)
    assert asked(GOOD, newer).state is MISSED
    assert asked(newer, GOOD).state is MISSED
    older = replace(MISSED_RUN, started=NOW - 3 * HOUR)
    assert asked(older, GOOD).state is MET


def test_a_newer_run_that_answers_nothing_leaves_the_older_answer_standing() -> None:
    newer = replace(GOOD, run="r-open", started=NOW - HOUR, verdict=OPEN, because="no data")
    said = asked(GOOD, newer)
    assert said.state is MET
    assert [(one.run, one.reason) for one in said.standings[0].passed_over] == [
        ("r-open", "INCONCLUSIVE: no data")
    ]


UNSAFE = {"verdict": MISSED, "unsafe": ("acknowledged_writes: 3 are gone",)}


def test_lost_data_is_a_no_even_where_missed_is_expected() -> None:
    said = asked(replace(CONTROL_RUN, **UNSAFE), of=(CONTROL,))
    assert said.state is MISSED
    assert said.standings[0].reason == "data was not safe: acknowledged_writes: 3 are gone"


def test_lost_data_is_not_made_good_by_a_newer_run() -> None:
    older = replace(GOOD, run="r-lost", started=NOW - 3 * HOUR, **UNSAFE)
    said = asked(older, GOOD)
    assert said.state is MISSED
    assert said.standings[0].run == "r-lost"


@pytest.mark.parametrize("closed", ["interrupted", "failed"])
def test_lost_data_counts_in_a_run_that_ended_early(closed: str) -> None:
    assert asked(replace(GOOD, closed=closed, **UNSAFE)).state is MISSED


@pytest.mark.parametrize(
    "changes",
    [{"started": NOW - 25 * HOUR}, {"cluster": "other"}, {"fingerprint": fingerprint(cp2="3")}],
)
def test_lost_data_of_another_cluster_or_time_says_nothing(changes: dict[str, Any]) -> None:
    assert asked(GOOD, replace(GOOD, run="r-lost", **UNSAFE | changes)).state is MET


def test_a_control_that_came_out_met_is_no_yes() -> None:
    said = asked(replace(CONTROL_RUN, verdict=MET), GOOD, of=(DROP, CONTROL))
    assert said.state is OPEN
    assert "the harness did not notice" in said.standings[1].reason


def test_a_control_that_must_not_be_decided_is_as_expected_when_it_is_not() -> None:
    one = replace(CONTROL, expect=OPEN)
    assert asked(replace(CONTROL_RUN, verdict=OPEN, closed="failed"), of=(one,)).state is MET
    assert asked(replace(CONTROL_RUN, verdict=MISSED), of=(one,)).state is MISSED


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (5, "5 s"),
        (61, "1 min"),
        (3600, "1 h 0 min"),
        (3 * 86400 + 7200, "3 d 2 h"),
        (-60, "-1 min"),
    ],
)
def test_ages_for_people(seconds: float, text: str) -> None:
    assert age_text(seconds) == text
