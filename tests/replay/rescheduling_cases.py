"""More cases, about pods that are replaced or are not; cases.py tells of the times and letters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.replay.cases import INCONCLUSIVE, MET, MISSED, Case, Json, event

RESCHEDULED = {"indicator": "time_to_rescheduled_s", "at_most": 2}


def pod(t: float, uid: str, **facts: Any) -> Json:
    """A pod of the service under watch as it was seen; well, and on the machine that is lost."""
    well = {
        "owner": "quorate-service/service",
        "node": "cp1",
        "started": True,
        "restarts": 0,
        "ready": True,
        "ending": False,
    }
    name = {"namespace": "quorate-service", "name": f"service-{uid}", "uid": uid}
    return event(t, "pod_seen", **(name | well | facts))  # fmt: skip


def endpoints(t: float, *uids: str) -> Json:
    name = {"namespace": "quorate-service", "service": "service", "slice": "service-1"}
    return event(t, "endpoints_seen", **name, ready=list(uids))


UNREADY: Json = {"started": False, "ready": False}
EVICTED = [
    pod(1, "a"), pod(1, "b", node="w2"), endpoints(1.1, "a", "b"),
    event(6.9, "node_seen", node="cp1", ready="Unknown", no_execute=["gone"], cordoned=False),
    endpoints(7.0, "b"),
    pod(7.1, "a", ready=False, ending=True),
]  # fmt: skip
"""One of two pods was on the machine; 0.7 s after the act that is given up."""

RESCHEDULING_CASES: Mapping[str, Case] = {
    "rescheduled": Case(
        "a pod is replaced when another one can be sent requests, not when it is created",
        MISSED,
        objectives=[RESCHEDULED, {**RESCHEDULED, "owner": "kube-system/coredns"}],
        events=[*EVICTED, pod(7.2, "c", node=None, **UNREADY), pod(7.3, "c", node="w2", **UNREADY),
                pod(7.8, "c", node="w2"), endpoints(7.9, "b", "c"),
                pod(1, "x", owner="kube-system/coredns", started=False)],
        states=[MET, MISSED],
        values=[1.7, 3.0],
        says=['"create"', '"by": "quorate-service/service-c"'],
    ),
    "no_replacement": Case(
        "a pod that was evicted and has no successor that serves is not rescheduled",
        MISSED,
        objectives=[RESCHEDULED],
        events=[*EVICTED, pod(7.2, "c", node=None, **UNREADY)],
        values=[3.0],
        says=["without a replacement that serves after 3.0 s: quorate-service/service-a"],
    ),
    "replaced_after_the_undo": Case(
        "what serves when the machine is back has not been rescheduled",
        MISSED,
        objectives=[RESCHEDULED],
        events=[*EVICTED, pod(9.4, "c", node="cp1"), endpoints(9.5, "b", "c")],
    ),
    "replacement_from_before": Case(
        "a pod that was being made before the fault is nobody's replacement",
        MISSED,
        objectives=[RESCHEDULED],
        events=[*EVICTED, pod(5, "c", node="w2", **UNREADY), pod(7.5, "c", node="w2"),
                endpoints(7.6, "b", "c")],
    ),
    "pods_of_others": Case(
        "pods elsewhere, and of other owners, neither are hit nor replace",
        INCONCLUSIVE,
        objectives=[RESCHEDULED],
        events=[pod(1, "b", node="w2"), pod(1, "x", owner="shop/web"), endpoints(1.1, "b", "x"),
                pod(7.5, "y", owner="shop/web"), endpoints(7.6, "b", "y")],
        says=["no pod of quorate-service/service was on cp1"],
    ),
    "nobody_saw_pods": Case(
        "no word about pods is no pass",
        INCONCLUSIVE,
        objectives=[RESCHEDULED],
        says=["nothing was seen of any pod"],
    ),
    "watched_too_briefly": Case(
        "an undo that came before the bound shows nothing of the cluster",
        INCONCLUSIVE,
        objectives=[{**RESCHEDULED, "at_most": 60}],
        events=EVICTED,
        values=[3.0],
        says=["watch it for longer"],
    ),
    "seen_after_a_gap": Case(
        "what is seen after nobody told of pods was so at any time of that",
        INCONCLUSIVE,
        objectives=[RESCHEDULED],
        events=[*EVICTED, event(7.15, "watch_blind", resource="pods", blind=True),
                pod(8.7, "c", node="w2", since=7.15),
                event(8.7, "watch_blind", resource="pods", blind=False),
                {**endpoints(8.7, "b", "c"),
                 "data": {**endpoints(8.7, "b", "c")["data"], "since": 7.15}}],
        values=[2.5],
    ),
}  # fmt: skip
