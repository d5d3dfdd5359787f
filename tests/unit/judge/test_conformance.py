"""What the live configuration implied, held against what was measured."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from quorate.harness.judge import judge
from quorate.harness.model.experiment import Experiment
from quorate.harness.model.timeline import Event, Timeline
from quorate.harness.model.verdict import PredictionResult

MakeExperiment = Callable[..., Experiment]
MakeRun = Callable[..., Timeline]


def told(**change: Any) -> Event:
    data = {
        "what": "longest_outage_s",
        "of": ["api"],
        "during": "fault",
        "deadline_s": 1.0,
        "low": 2.6,
        "high": 3.6,
        "formula": "f",
    }
    return Event(29.9, "prediction", {**data, **change})


def settled(component: str, low: float, high: float) -> Event:
    return told(what="settled_s", of=[], deadline_s=None, component=component, low=low, high=high)


def fact(t: float, component: str, node: str | None, *, good: bool, at: str | None = None) -> Event:
    data = {"component": component, "node": node, "good": good, "state": ""}
    return Event(t, "fact", {**data, **({"at": at} if at else {})})


@pytest.fixture
def conform(make_experiment: MakeExperiment, make_run: MakeRun) -> Callable[..., PredictionResult]:
    """The first prediction of a run with these events, judged."""

    def judged(*events: Event, spelled: str = "." * 150, **change: Any) -> PredictionResult:
        acted = Event(30.2, "injection_acted", {"injection": "i1"})
        run = make_run(spelled, events=[acted, *events])
        return judge(make_experiment(**change), run).predicted[0]

    return judged


Conform = Callable[..., PredictionResult]


@pytest.mark.parametrize(("bad", "inside"), [(20, False), (30, True), (40, True), (45, False)])
def test_an_outage_is_compared_with_its_tolerance(conform: Conform, bad: int, inside: bool) -> None:
    one = conform(told(), spelled="!" * bad + "." * (150 - bad))
    assert (one.measured, one.inside) == (bad / 10, inside)
    least, most = bad / 10 - 0.11, bad / 10 + 0.11  # a period, and what a request took at the edge
    assert one.between == pytest.approx((least, most))
    assert one.tolerance == pytest.approx(0.36)


def test_outside_the_last_component_is_named(conform: Conform) -> None:
    moved = fact(34.9, "vip", "cp2", good=True)
    one = conform(told(), moved, spelled="!" * 50 + "." * 100)
    assert (one.inside, one.last) == (False, "vip cp2")
    assert conform(told(high=5.0), moved, spelled="!" * 50 + "." * 100).last is None


def test_no_outage_where_none_was_predicted(conform: Conform) -> None:
    none = told(low=0.0, high=0.0)
    assert conform(none).inside is True
    assert conform(none, spelled="!" + "." * 149).inside is True, "one sample is the resolution"
    assert conform(none, spelled="!!" + "." * 148).inside is False


def test_samples_are_counted(conform: Conform) -> None:
    counted = [{"indicator": "bad_samples", "of": "api", "at_most": 9}]
    none = told(what="bad_samples", low=0, high=0, unit="samples")
    assert conform(none, objectives=counted).inside is True
    one = conform(none, objectives=counted, spelled="!" + "." * 149)
    assert (one.measured, one.tolerance, one.inside) == (1.0, 0.0, False)
    few = told(what="bad_samples", low=0, high=10, unit="samples")
    assert conform(few, objectives=counted, spelled="!" * 11 + "." * 139).inside is True


@pytest.mark.parametrize(
    "change",
    [
        {"low": None, "high": None, "reason": "no backup"},
        {"of": ["other"]},
        {"deadline_s": 5.0},
        {"during": "return"},
    ],
)
def test_what_was_not_measured_is_not_compared(conform: Conform, change: dict[str, Any]) -> None:
    one = conform(told(**change))
    assert (one.measured, one.inside) == (None, None)


def test_an_outage_without_an_end_is_not_compared(conform: Conform) -> None:
    assert conform(told(), spelled="!" * 150).inside is None


def test_what_cannot_be_read_is_told(conform: Conform) -> None:
    one = conform(told(low="soon"))
    assert (one.low, one.reason) == (None, "what the run wrote down cannot be read")


@pytest.mark.parametrize(
    ("component", "events", "measured"),
    [
        # The first other holder; what the faulted node says of itself does not count.
        ("vip", [fact(31.0, "vip", "cp1", good=True), fact(33.0, "vip", "cp2", good=True),
                 fact(35.0, "vip", "cp3", good=True)], 3.0),
        ("etcd_leader", [fact(30.5, "etcd_leader", None, good=False),
                         fact(31.2, "etcd_leader", "cp3", good=True)], 1.2),
        # The slowest load balancer, each by its first word; those of other servers do not count.
        ("haproxy_backend", [fact(31.0, "haproxy_backend", "cp1", good=False, at="cp2"),
                             fact(32.0, "haproxy_backend", "cp1", good=False, at="cp3"),
                             fact(34.0, "haproxy_backend", "cp1", good=False, at="cp2"),
                             fact(35.0, "haproxy_backend", "cp3", good=False, at="cp2")], 2.0),
        ("node", [fact(36.0, "node", "cp1", good=False)], 6.0),
        # After the undo nothing is told of the fault; before the injection neither.
        ("node", [fact(29.0, "node", "cp1", good=False), fact(41.0, "node", "cp1", good=False)],
         None),
    ],
)  # fmt: skip
def test_components_are_seen_to_settle(
    conform: Conform, component: str, events: list[Event], measured: float | None
) -> None:
    one = conform(settled(component, 1.0, 8.0), *events)
    assert one.measured == (None if measured is None else pytest.approx(measured))
    if measured is not None:
        least = max(0.0, measured - 0.2 - 0.5)
        assert one.between == pytest.approx((least, measured)), "the act, and hearing late"
        assert one.inside is True


def test_a_component_may_have_settled_sooner_than_was_heard_not_later(conform: Conform) -> None:
    moved = fact(33.0, "vip", "cp2", good=True)
    assert conform(settled("vip", 1.0, 2.2), moved).inside is True, "2.3 s, heard late"
    assert conform(settled("vip", 1.0, 2.0), moved).inside is False
    assert conform(settled("vip", 3.5, 4.0), moved).inside is False, "heard before it may be"
    assert conform(settled("vip", 3.5, 4.0), moved).last is None


def test_a_lease_has_moved_when_the_proof_says_so(conform: Conform) -> None:
    proved = Event(38.0, "injection_proved", {"injection": "i1", "ok": True, "lease": "kube-x"})
    assert conform(settled("lease kube-x", 5.0, 9.0), proved).measured == pytest.approx(8.0)
    assert conform(settled("lease kube-y", 5.0, 9.0), proved).measured is None
    assert conform(settled("lease kube-x", 1.0, 2.0), proved).inside is False
