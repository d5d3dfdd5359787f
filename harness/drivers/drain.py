"""Evicting the pods of one node, as patiently as its budgets demand and no longer than told."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from quorate.harness.drivers.clock import Clock
from quorate.harness.drivers.kube_api import KubeApi
from quorate.harness.drivers.pods import is_ending, leaves_in_a_drain, name_of, uid_of, what_keeps
from quorate.harness.errors import DriverError, Forbidden

RETRY_S = 0.5
"""Between two rounds. `kubectl drain` waits 5 s after a 429; we time what it costs."""

GRANTED = (http.client.OK, http.client.CREATED)
GONE = (http.client.NOT_FOUND, http.client.CONFLICT)
BUDGETS = "/apis/policy/v1/poddisruptionbudgets"


def pods_path(node: str) -> str:
    """The list of a node's pods."""
    return f"/api/v1/pods?fieldSelector={quote(f'spec.nodeName={node}', safe='')}"


def leaving(api: KubeApi, node: str) -> list[dict[str, Any]]:
    """The pods on the node that a drain is to move away, and that are still there."""
    return [pod for pod in api.items(pods_path(node)) if leaves_in_a_drain(pod)]


def stuck(api: KubeApi, node: str) -> list[str]:
    """For each pod that is still there, what keeps it, in words. Empty: the node is drained."""
    pods = leaving(api, node)
    budgets = api.items(BUDGETS) if pods else []
    return [what_keeps(pod, budgets) for pod in pods]


def is_cordoned(api: KubeApi, node: str) -> bool:
    """Whether the node takes no new pods now; not so where there is no such node."""
    found = api.get(f"/api/v1/nodes/{node}")
    return found is not None and bool(found["spec"].get("unschedulable"))


@dataclass(frozen=True)
class Drained:
    """How a drain ended. `left`: what keeps each pod that is still there."""

    evicted: tuple[str, ...]
    left: tuple[str, ...]
    refusals: int
    """Answers 429: a budget forbade an eviction at that moment."""
    took_s: float


def drain(
    api: KubeApi,
    *,
    node: str,
    deadline_s: float,
    clock: Clock,
    keep_on: Callable[[], bool] = lambda: True,
) -> Drained:
    """Evict until nobody is left who should go, or for `deadline_s` seconds, or `keep_on` ends.

    The node must be cordoned before; once it is not any more, this ends: the drain was undone, by
    whoever, and may have outlived whoever started it. A round that no API server answers is
    repeated; DriverError when no round was answered at all, Forbidden at once.
    """
    start = clock.now()
    evicted: dict[str, str] = {}
    refusals = 0
    answered, cordoned = False, True
    while True:
        try:
            cordoned = is_cordoned(api, node)
            pods = leaving(api, node)
            for pod in pods if cordoned else ():
                if uid_of(pod) in evicted or is_ending(pod):
                    continue
                status = api.evict(pod).status
                if status in GRANTED:
                    evicted[uid_of(pod)] = name_of(pod)
                elif status not in GONE:
                    refusals += 1
            answered = True
        except Forbidden:
            raise
        except DriverError:
            if not answered and clock.now() - start >= deadline_s:
                raise
            pods = [{}]
        took_s = clock.now() - start
        if not pods or not cordoned or took_s >= deadline_s or not keep_on():
            return Drained(tuple(evicted.values()), tuple(stuck(api, node)), refusals, took_s)
        clock.sleep(RETRY_S)


def noticed_cordons(api: KubeApi, node: str) -> int:
    """How often the node's own kubelet has told that it was cordoned (within the hour that events
    are kept): it sees so each time that it reports its status, every 10 s by default."""
    selector = quote(f"involvedObject.name={node},reason=NodeNotSchedulable", safe="")
    events = api.items(f"/api/v1/namespaces/default/events?fieldSelector={selector}")
    return sum(int(event.get("count") or 1) for event in events)
