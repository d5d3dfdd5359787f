"""What a run wrote down about pods, nodes and EndpointSlices (docs/rescheduling.md), in order."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from quorate.harness.model.timeline import Event, Timeline

Data = Mapping[str, object]

HEARD_LATE_S = 0.5
"""By how much the word of a watch may come late on a busy machine (judge.story has the same)."""


class Seen(NamedTuple):
    """Seen so at ``t``, and not yet at ``since``; seconds since the run's base."""

    t: float
    since: float


@dataclass(frozen=True)
class History:
    """One object: what was seen of it, and when."""

    times: list[Seen] = field(default_factory=list)
    data: list[Data] = field(default_factory=list)

    def add(self, event: Event) -> None:
        since = event.data.get("since")
        known = float(since) if isinstance(since, int | float) else event.t - HEARD_LATE_S
        self.times.append(Seen(event.t, known))
        self.data.append(event.data)

    def before(self, t: float) -> Data | None:
        """As it was last seen by then; None where it was not there."""
        found = [data for seen, data in zip(self.times, self.data, strict=True) if seen.t <= t]
        return found[-1] if found and not found[-1].get("gone") else None

    def first(self, holds: Callable[[Data], bool], after: float, until: float) -> Seen | None:
        """When it was first seen so in [``after``, ``until``]."""
        for seen, data in zip(self.times, self.data, strict=True):
            if after <= seen.t <= until and holds(data):
                return seen
        return None

    def began(self, *, after: float, until: float) -> bool:
        """Whether it surely was not there before ``after``, and was by ``until``."""
        known_since = self.times[0].since
        late = self.data[0].get("since") is not None
        return after <= self.times[0].t <= until and (not late or known_since >= after)


@dataclass(frozen=True)
class Sightings:
    """uid → its history, and so on."""

    pods: dict[str, History] = field(default_factory=dict)
    nodes: dict[str, History] = field(default_factory=dict)
    slices: dict[str, History] = field(default_factory=dict)
    blindness: list[Event] = field(default_factory=list)

    @classmethod
    def of(cls, timeline: Timeline) -> Sightings:
        """All that a timeline says."""
        found = cls()
        kinds = {
            "pod_seen": (found.pods, "uid"),
            "node_seen": (found.nodes, "node"),
            "endpoints_seen": (found.slices, "slice"),
        }
        for event in timeline.events:
            if event.kind in kinds:
                where, key = kinds[event.kind]
                where.setdefault(str(event.data.get(key)), History()).add(event)
            elif event.kind == "watch_blind":
                found.blindness.append(event)
        return found

    def owners_on(self, nodes: Collection[str], *, at: float) -> list[str]:
        """The owners of pods that were on these nodes at that time, in order."""
        there = [one for history in self.pods.values() if (one := history.before(at))]
        return sorted({str(one.get("owner")) for one in there if one.get("node") in nodes})

    def has_endpoints(self, owner: str) -> bool:
        """Whether an EndpointSlice ever had a pod of this owner as ready."""
        uids = {uid for uid, one in self.pods.items() if one.data[0].get("owner") == owner}
        return any(uids & _ready(data) for history in self.slices.values() for data in history.data)

    def is_endpoint(self, uid: str, *, at: float) -> bool:
        """Whether an EndpointSlice had the pod as ready then."""
        there = (history.before(at) for history in self.slices.values())
        return any(uid in _ready(one) for one in there if one is not None)

    def endpoint(self, uid: str, there: bool, after: float, until: float) -> Seen | None:
        """When the pod was first put in (``there``) or out after that; None: it was not."""
        was = self.is_endpoint(uid, at=after)
        moments = sorted(
            {
                seen
                for history in self.slices.values()
                for seen in history.times
                if after < seen.t <= until
            }
        )
        for seen in moments:
            now = self.is_endpoint(uid, at=seen.t)
            if now is there and was is not there:
                return seen
            was = now
        return None

    def is_blind(self, t: float) -> bool:
        """Whether there was a resource of which no API server told anything then."""
        last = {str(one.data.get("resource")): one for one in self.blindness if one.t <= t}
        return any(one.data.get("blind") is True for one in last.values())


def _ready(data: Data) -> set[str]:
    found = data.get("ready")
    gone = data.get("gone") is True
    return set() if gone or not isinstance(found, list | tuple) else {str(one) for one in found}
