from __future__ import annotations

from quorate.harness.model.verdict import (
    ComponentChange,
    Gate,
    ObjectiveResult,
    PredictionResult,
    SafetyCheck,
    State,
    Story,
    Verdict,
)
from quorate.reports.json_report import render_json
from quorate.reports.text import prediction_text, render_text

OUTAGE = ObjectiveResult(
    indicator="longest_outage_s",
    of=("api",),
    during="fault",
    deadline_s=1.0,
    bound=5.0,
    value=3.35,
    low=3.3,
    high=3.4,
    unit="s",
    state=State.MET,
    at=(30.0, 33.35),
)
CHANGE = ComponentChange(t=33.2, after_s=3.2, component="vip", node="cp2", state="held", good=True)
STORY = Story(
    injected_at=30.0,
    faulted_nodes=("cp1",),
    vip_holder_before="cp1",
    etcd_leader_before="cp1",
    holder_led_etcd=True,
    outage=(30.0, 33.35),
    outage_of="api",
    components=(CHANGE,),
    last_component_for_clients="vip cp2",
    last_component_for_whole="node cp1",
    whole_at=52.0,
)
PREDICTION = PredictionResult(
    what="longest_outage_s",
    of=("api",),
    deadline_s=1.0,
    low=2.61,
    high=3.61,
    formula="the slowest of: vip",
    measured=3.35,
    between=(3.3, 3.4),
    tolerance=0.361,
    inside=True,
)


def verdict(
    state: State = State.MET, *, objective: ObjectiveResult = OUTAGE, gate: bool = True
) -> Verdict:
    return Verdict(
        run_id="r1",
        title="The title",
        verdict=state,
        arrangements=("keepalived_backups_stopped",),
        objectives=(objective,),
        gates=(Gate(name="baseline", ok=gate, reason="450 samples, none bad"),),
        story=STORY,
        predicted=(PREDICTION,),
        notes=("a note",),
    )


def test_the_verdict_stands_first() -> None:
    assert render_text(verdict()).startswith("MET: every objective was met\nThe title\nrun r1\n")


def test_each_number_has_its_uncertainty_and_bound() -> None:
    text = render_text(verdict())
    assert "= 3.35 s (3.30 to 3.40), at most 5 s" in text
    assert "longest_outage_s of api: 2.61 to 3.61 s (the slowest of: vip)" in text
    assert "measured 3.35 s (3.30 to 3.40), as predicted" in text


def test_a_prediction_that_failed_names_the_component() -> None:
    outside = PREDICTION.model_copy(update={"measured": 9.0, "inside": False, "last": "vip cp2"})
    assert prediction_text(outside).endswith(
        "NOT as predicted: this configuration is not what runs, or something else broke; clients "
        "came back last after: vip cp2"
    )


def test_what_is_not_predicted_says_why() -> None:
    settled = PredictionResult(what="settled_s", component="vip", reason="no backup")
    assert prediction_text(settled) == "vip settled: not predicted (no backup)"
    none = PredictionResult(
        what="bad_samples", of=("api", "web"), low=0, high=0, unit="samples", formula="untouched"
    )
    assert prediction_text(none) == "bad_samples of api, web: 0 samples (untouched)"
    update = {"high": 61.0, "measured": 14.0, "between": (14.0, 15.0), "inside": True}
    some = prediction_text(none.model_copy(update=update))
    assert some.endswith("0 to 61 samples (untouched); measured 14 samples, as predicted")


def test_the_story_is_told() -> None:
    text = render_text(verdict())
    for part in (
        "arranged before the run, on purpose: keepalived_backups_stopped",
        "etcd was led by cp1: the same machine",
        "+3.200 s  vip cp2: held [good]",
        "clients came back last after: vip cp2",
        "the last component to come back: node cp1",
        "a note",
    ):
        assert part in text


def test_the_first_line_says_why_it_was_missed_or_inconclusive() -> None:
    endless = OUTAGE.model_copy(
        update={"state": State.MISSED, "censored": True, "high": None, "low": 59.9}
    )
    first = render_text(verdict(State.MISSED, objective=endless)).splitlines()[0]
    assert first.startswith("MISSED: longest_outage_s of api during fault")
    assert "more than 59.90 s (not over when the data ended)" in first
    first = render_text(verdict(State.INCONCLUSIVE, gate=False)).splitlines()[0]
    assert first == "INCONCLUSIVE: baseline: 450 samples, none bad"


def test_lost_data_stands_before_a_missed_objective() -> None:
    """And what could not be checked behind the gate that failed."""
    missed = OUTAGE.model_copy(update={"state": State.MISSED})
    lost = SafetyCheck(name="acknowledged_writes", state=State.MISSED, reason="register 1: gone")
    told = verdict(State.MISSED, objective=missed).model_copy(update={"data_safety": (lost,)})
    assert render_text(told).startswith(
        "MISSED: data safety: acknowledged_writes: register 1: gone\n"
    )
    open_ = lost.model_copy(update={"state": State.INCONCLUSIVE})
    told = verdict(State.INCONCLUSIVE, gate=False).model_copy(update={"data_safety": (open_,)})
    assert render_text(told).startswith("INCONCLUSIVE: baseline: ")
    assert "  INCONCLUSIVE acknowledged_writes: register 1: gone\n" in render_text(told)


def test_counts_show_what_is_not_known() -> None:
    count = OUTAGE.model_copy(
        update={"indicator": "bad_samples", "unit": "samples", "value": 1.0, "high": 3.0}
    )
    assert "= 1 samples (up to 3), at most 5 samples" in render_text(verdict(objective=count))


def test_json_is_the_stored_verdict() -> None:
    assert render_json(verdict()) == verdict().to_json()
