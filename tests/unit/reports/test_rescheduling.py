"""The report's lines about pods that were replaced, or were not."""

from __future__ import annotations

from quorate.harness.model.rescheduling import Phase, PodRescheduling, Rescheduling, Span
from quorate.reports.rescheduling import rescheduling_lines


def pod(name: str, by: str | None, **phases: Span) -> PodRescheduling:
    each = {Phase(word): span for word, span in phases.items()}
    return PodRescheduling(pod=f"ns/{name}", node="w1", by=by and f"ns/{by}", phases=each)


def owner(*pods: PodRescheduling, served: Span | None, blind: bool = False) -> Rescheduling:
    return Rescheduling(
        owner="ns/web",
        fault="node_power_off",
        nodes=("w1",),
        at=30.0,
        pods=pods,
        served=served,
        watched_s=80.0,
        blind=blind,
    )


def test_a_waterfall_is_when_the_last_pod_reached_each_phase() -> None:
    found = owner(
        pod("a", "c", detect=(49.0, 50.0), create=(54.0, 55.0), first_good_request=(56.0, 57.0)),
        pod("b", "d", detect=(49.0, 50.0), create=(55.0, 56.0), first_good_request=(56.0, 58.0)),
        served=(55.6, 56.6),
    )
    assert list(rescheduling_lines([found])) == [
        "ns/web, 2 pods on w1: replaced 56.60 s (55.60 to 56.60) after node_power_off",
        "  detect 50.00 → create 56.00 → first good request 58.00 s",
    ]


def test_a_phase_that_one_pod_did_not_reach_is_not_reached() -> None:
    found = owner(pod("a", "c", evict=(4.0, 5.0)), pod("b", None), served=None)
    assert list(rescheduling_lines([found])) == [
        "ns/web, 2 pods on w1: not all replaced when the watch ended, 80.00 s after node_power_off"
    ]
    (line,) = rescheduling_lines([owner(pod("a", None), served=None, blind=True)])
    assert line.endswith("and at the injection or the end nobody told of pods")


def test_a_pod_that_was_started_again_was_not_replaced() -> None:
    found = owner(pod("a", "a", start=(1.0, 2.0)), served=(1.5, 2.5))
    assert "1 pod on w1: served again 2.50 s" in next(rescheduling_lines([found]))
