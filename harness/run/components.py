"""What state every component is in, from the reports of many sources; pure.

A component is *good*, not good, or unknown (None). What is unknown is never good: a node that is
silent tells nothing, so all that only it could tell is unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from quorate.harness.drivers.follower import Report
from quorate.harness.model.cluster import Cluster, Role

SILENT_S = 2.0
"""A follower says something twice a second; after four missed beats its facts are void."""

FOLLOWER = "follower"
"""Component of the facts that a source fell silent, and how it was heard again."""

HEARD_AGAIN, ANEW = "heard again", "begun anew"

OUTRUN_S = 0.9
"""When another node reports that it holds the VIP (leads), a former holder that has been silent
for this long has lost it: it lost its power, and it cannot say so."""


class Key(NamedTuple):
    """One component: what, on which node, and who says so (`at`) where several may differ."""

    component: str
    node: str | None = None
    at: str | None = None

    def __str__(self) -> str:
        words = {
            "vip": "VIP",
            "etcd_leader": "etcd leader",
            "haproxy_backend": "HAProxy backend",
            "api_through_nginx": "API through Nginx",
        }
        text = words.get(self.component, self.component)
        text += f" {self.node}" if self.node else ""
        return text + (f" as seen by {self.at}" if self.at else "")


@dataclass(frozen=True)
class Fact:
    """A change of a component's state at `t` (seconds on CLOCK_MONOTONIC)."""

    t: float
    key: Key
    node: str | None
    state: str
    good: bool | None


VIP = Key("vip")
LEADER = Key("etcd_leader")


def expected_components(cluster: Cluster) -> tuple[Key, ...]:
    """All that a whole cluster consists of. Of an Nginx: that it answers, and that a question
    through it reaches an API server which is ready."""
    keys = [VIP]
    members = cluster.with_role(Role.ETCD)
    balancers = cluster.with_role(Role.LOAD_BALANCER)
    if members:
        keys.append(LEADER)
    keys += [Key("etcd", node.name) for node in members]
    keys += [Key("apiserver", node.name) for node in cluster.control_planes]
    for balancer in balancers:
        keys += [Key(cluster.balancer, balancer.name), Key("keepalived", balancer.name)]
        if cluster.balancer == "nginx":
            keys.append(Key("api_through_nginx", balancer.name))
            continue
        keys += [
            Key("haproxy_backend", node.name, balancer.name) for node in cluster.control_planes
        ]
    keys += [Key("node", node.name) for node in cluster.nodes if node.has_kubelet]
    return tuple(keys)


class Components:
    """Takes reports in the order of their receipt and gives back what changed."""

    def __init__(self, cluster: Cluster) -> None:
        self._demanded = expected_components(cluster)
        self._now: dict[Key, tuple[str | None, str, bool | None]] = {}
        self._heard: dict[str, float] = {}
        self._told: dict[str, set[Key]] = {}
        self._silent: set[str] = set()
        self._singles: dict[str, dict[str, bool]] = {"vip": {}, "raft": {}}

    def take(self, report: Report) -> list[Fact]:
        """The changes that one report makes."""
        t = report.t_ns / 1e9
        if report.kind == "lost":
            return list(self._void(report.source, t=t))
        self._heard[report.source] = t
        return [*self._heard_again(report, t=t), *self._take(report, t=t)]

    def _heard_again(self, report: Report, *, t: float) -> list[Fact]:
        """Whether what was silent goes on where it stopped: it tells late, but all that happened.
        A program that was begun anew knows nothing of the time before."""
        if report.source not in self._silent:
            return []
        self._silent.remove(report.source)
        state = ANEW if report.kind == "hello" else HEARD_AGAIN
        return self._set(Key(FOLLOWER, report.source), (report.source, state, None), t=t)

    def _take(self, report: Report, *, t: float) -> list[Fact]:
        if report.kind != "fact":
            return []
        if report.component in self._singles:
            return self._take_single(report, t=t)
        at = report.source if report.server else None
        key = Key(report.component, report.server or report.node, at)
        self._told.setdefault(report.source, set()).add(key)
        return self._set(key, (key.node, report.state, report.good), t=t)

    def tick(self, now: float) -> list[Fact]:
        """Void what silent sources said; `now` is CLOCK_MONOTONIC in seconds."""
        return [
            fact
            for source, heard in list(self._heard.items())
            if now - heard > SILENT_S
            for fact in [*self._void(source, t=now), *self._fall_silent(source, t=now)]
        ]

    def _fall_silent(self, source: str, *, t: float) -> list[Fact]:
        self._silent.add(source)
        return self._set(Key(FOLLOWER, source), (source, "silent", None), t=t)

    def demand(self, keys: Iterable[Key]) -> None:
        """From now on whole means: these components are good."""
        self._demanded = tuple(keys)

    def good(self) -> tuple[Key, ...]:
        """The demanded components that are good now."""
        return tuple(key for key in self._demanded if self._is_good(key))

    def lacking(self) -> tuple[Key, ...]:
        """The demanded components that are not good now."""
        return tuple(key for key in self._demanded if not self._is_good(key))

    def missing(self) -> tuple[str, ...]:
        """The same as text, each with its state."""
        unheard = (None, "not heard of", None)
        return tuple(f"{key}: {self._now.get(key, unheard)[1]}" for key in self.lacking())

    def nodes_good(self, component: str) -> frozenset[str]:
        """The nodes on which a component is good now."""
        return frozenset(
            key.node
            for key, (_, _, good) in self._now.items()
            if key.component == component and key.node and good
        )

    @property
    def vip_holder(self) -> str | None:
        """The one node that holds the VIP, as far as is known."""
        return self._now.get(VIP, (None,))[0]

    @property
    def etcd_leader(self) -> str | None:
        """The one node whose etcd member leads, as far as is known."""
        return self._now.get(LEADER, (None,))[0]

    def _is_good(self, key: Key) -> bool:
        return key in self._now and self._now[key][2] is True

    def _set(self, key: Key, value: tuple[str | None, str, bool | None], *, t: float) -> list[Fact]:
        if self._now.get(key) == value:
            return []
        self._now[key] = value
        return [Fact(t, key, *value)]

    def _take_single(self, report: Report, *, t: float) -> list[Fact]:
        """The VIP and the leadership: many nodes say yes or no, one of them should say yes."""
        saying = self._singles[report.component]
        saying[report.source] = report.state in ("held", "leads")
        if saying[report.source]:
            for other in saying:
                if other != report.source and t - self._heard.get(other, 0.0) > OUTRUN_S:
                    saying[other] = False
        return self._combine(report.component, t=t)

    def _combine(self, component: str, *, t: float) -> list[Fact]:
        holders = sorted(node for node, yes in self._singles[component].items() if yes)
        key, one = (VIP, "held") if component == "vip" else (LEADER, "elected")
        if len(holders) == 1:
            return self._set(key, (holders[0], one, True), t=t)
        state = f"several: {', '.join(holders)}" if holders else "none"
        return self._set(key, (None, state, False), t=t)

    def _void(self, source: str, *, t: float) -> Iterator[Fact]:
        self._heard.pop(source, None)
        for key in sorted(self._told.pop(source, ()), key=str):
            yield from self._set(key, (key.node, "unknown", None), t=t)
        for component, saying in self._singles.items():
            if saying.pop(source, None) is not None:
                yield from self._combine(component, t=t)
