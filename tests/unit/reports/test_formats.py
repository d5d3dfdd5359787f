"""JUnit, OpenMetrics, Grafana and text: each read back by what it is meant for, hostile or not."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from quorate.harness.errors import UsageError
from quorate.harness.model.verdict import State
from quorate.reports.grafana import render_grafana
from quorate.reports.hostile import MASK, masked, one_line, plain
from quorate.reports.junit import Case, render_junit
from quorate.reports.openmetrics import render_openmetrics
from quorate.reports.record import RunRecord
from quorate.reports.run_text import render_run_text
from quorate.reports.text import render_text
from tests.replay.storing import STORED
from tests.unit.reports.hostile_run import (
    ATTACK,
    GOOD_RUN,
    LONG,
    MISSED_RUN,
    hostile_record,
    record_of,
)

UNDECIDED_RUN = "20260101T000000Z-unproved-0000"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> RunRecord:
    return hostile_record(tmp_path_factory.mktemp("hostile"))


# --- JUnit


def cases(text: str) -> list[ET.Element]:
    return list(ET.fromstring(text).iter("testcase"))


def test_one_case_for_each_run_with_every_indicator_as_a_property() -> None:
    (case,) = cases(render_junit([Case("vip", record_of(GOOD_RUN))]))
    told = {one.get("name"): one.get("value") for one in case.iter("property")}
    assert told["verdict"] == "MET"
    name = "longest_outage_s:api:fault:1s"
    assert told[name] == "3"
    assert (told[f"{name}.low"], told[f"{name}.high"]) == ("2.93506", "3.05391")
    assert (told[f"{name}.at_most"], told[f"{name}.predicted_high"]) == ("5", "3.61")
    assert told[f"{name}.unit"] == "s"
    assert told["time_to_whole_s:undo.state"] == "MET"
    assert case.find("failure") is None
    assert case.find("error") is None


@pytest.mark.parametrize(
    ("name", "exit_code", "tag"),
    [
        (MISSED_RUN, 1, "failure"),
        (UNDECIDED_RUN, 3, "error"),
        (GOOD_RUN, 3, "error"),
        (GOOD_RUN, 4, "error"),
        (MISSED_RUN, 4, "error"),
    ],
)
def test_what_is_not_met_is_a_failure_or_an_error(name: str, exit_code: int, tag: str) -> None:
    run = replace(record_of(name), exit_code=exit_code)
    text = render_junit([Case("x", run), Case("good", record_of(GOOD_RUN))])
    case, good = cases(text)
    (found,) = [one for one in case if one.tag in ("failure", "error", "skipped")]
    assert found.tag == tag
    assert found.get("message")
    assert [one.tag for one in good] == ["properties"]
    top = ET.fromstring(text)
    assert (top.get("tests"), top.get(f"{tag}s")) == ("2", "1")


def test_a_control_passes_when_it_comes_to_what_it_must() -> None:
    missed, met = record_of(MISSED_RUN), record_of(GOOD_RUN)
    right, wrong = cases(
        render_junit([Case("a", missed, State.MISSED), Case("b", met, State.MISSED)])
    )
    assert right.find("failure") is None
    found = wrong.find("failure")
    assert found is not None
    assert str(found.get("message")).startswith("expected MISSED, came to MET")


def test_an_experiment_that_was_not_played_is_an_error() -> None:
    (case,) = cases(render_junit([Case("x", None, reason="not played")]))
    found = case.find("error")
    assert found is not None
    assert found.get("message") == "not played"


def test_hostile_texts_leave_junit_well_formed(hostile: RunRecord) -> None:
    text = render_junit([Case(ATTACK, hostile)], suite=ATTACK)
    (case,) = cases(text)
    assert "]]>" in str(case.get("name"))
    assert "]]>" not in text, "escaped where it stands in a text"
    assert "\\x1b[31m" in str(case.get("name"))


# --- OpenMetrics


@pytest.mark.parametrize("name", sorted(path.name for path in STORED.iterdir()))
def test_openmetrics_is_what_a_strict_parser_takes(name: str) -> None:
    families = list(text_string_to_metric_families(render_openmetrics(record_of(name))))
    verdict = next(one for one in families if one.name == "quorate_verdict")
    assert sum(sample.value for sample in verdict.samples) == 1


def test_openmetrics_tells_numbers_with_their_ranges() -> None:
    text = render_openmetrics(record_of(GOOD_RUN))
    families = {one.name: one for one in text_string_to_metric_families(text)}
    longest = families["quorate_longest_outage_seconds"]
    assert longest.unit == "seconds"
    numbers = {one.labels["number"]: one.value for one in longest.samples}
    assert numbers == {"measured": 3.0, "least": 2.935056, "most": 3.053908, "bound": 5.0}
    assert longest.samples[0].labels["of"] == "api"


def test_hostile_texts_are_no_metrics(hostile: RunRecord) -> None:
    objective = hostile.verdict.objectives[0].model_copy(update={"indicator": f"x_s{ATTACK}"})
    verdict = hostile.verdict.model_copy(update={"objectives": (objective,)})
    text = render_openmetrics(replace(hostile, verdict=verdict))
    families = [one.name for one in text_string_to_metric_families(text)]
    assert "quorate_fake" not in families
    assert text.count("# EOF\n") == 1 == len(re.findall(r"(?m)^# EOF$", text))


def test_a_newline_in_a_label_would_have_been_a_metric(hostile: RunRecord) -> None:
    escaped = one_line(ATTACK).replace("\\", "\\\\").replace('"', '\\"')
    text = render_openmetrics(hostile)
    assert escaped in text
    with pytest.raises(ValueError, match="nvalid"):
        list(text_string_to_metric_families(text.replace(escaped, ATTACK)))


# --- Grafana


def test_annotations_lie_over_the_time_of_day() -> None:
    found = json.loads(render_grafana(record_of(GOOD_RUN)))
    run, fault, outage, _ = found
    assert run["time"] == 1795437115709
    assert run["tags"] == ["quorate", "run", "vip_drop_holder", "replay", "MET"]
    assert fault["text"] == "node_power_off on cp1"
    assert fault["timeEnd"] - fault["time"] == 5515
    assert outage["text"] == "outage of api at a deadline of 1 s"
    assert outage["timeEnd"] - outage["time"] == 3000


def test_annotations_need_a_time_of_day() -> None:
    with pytest.raises(UsageError, match="annotations need a time of day"):
        render_grafana(record_of(UNDECIDED_RUN))


def test_hostile_texts_are_no_html_in_grafana(hostile: RunRecord) -> None:
    for one in json.loads(render_grafana(hostile)):
        assert "<" not in one["text"]
        assert all("\n" not in tag for tag in one["tags"])


# --- text


def test_a_report_as_text_steers_no_terminal(hostile: RunRecord) -> None:
    assert not re.search(
        "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\ud800-\udfff]", render_run_text(hostile)
    )
    assert LONG in render_text(hostile.verdict), "longer lines than anybody writes are kept whole"


def test_text_begins_with_what_is_wrong_with_the_run() -> None:
    good = record_of(GOOD_RUN)
    assert render_run_text(good) == render_text(good.verdict)
    failed = render_run_text(replace(good, exit_code=4))
    assert failed.startswith("INCONCLUSIVE, exit code 4: an undo failed")
    assert "AN UNDO FAILED: the cluster may still be faulted" in failed
    dead = render_run_text(record_of("20260101T000000Z-killed_in_the_outage-0000"))
    assert dead.startswith("INCONCLUSIVE, exit code 3: the run was not ended")
    assert "not a stored verdict" in dead


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("a\tb\nc", "a\tb\nc"),
        ("\x9b31m", "\\x9b31m"),
        ("\u2066x", "\\u2066x"),
        ("ok → 3 µs", "ok → 3 µs"),
        ("abcdef", "abc… (3 characters more)"),
    ],
)
def test_texts_made_plain(given: str, shown: str) -> None:
    assert plain(given, at_most=3 if given == "abcdef" else 100) == shown


@pytest.mark.parametrize(
    ("argv", "shown"),
    [
        (["ipmitool", "-H", "bmc1", "-P", "s3cret", "power"], "ipmitool -H bmc1 -P ••• power"),
        (["bmc", "--password", "s3cret", "off"], "bmc --password ••• off"),
        (["bmc", "--bmc-token=s3cret"], "bmc --bmc-token=•••"),
        (["curl", "https://me:s3cret@bmc/x"], "curl https://•••@bmc/x"),
        (["quorate", "gameday", "--webhook=https://s3cret"], "quorate gameday --webhook=•••"),
        (["ssh", "-P", "22", "x"], "ssh -P 22 x"),
        (["systemctl", "stop", "kubelet"], "systemctl stop kubelet"),
    ],
)
def test_secrets_of_a_command_are_not_sent_on(argv: list[str], shown: str) -> None:
    assert " ".join(masked(argv)) == shown
    assert (MASK in shown) is ("s3cret" in argv or "s3cret" in " ".join(argv))
