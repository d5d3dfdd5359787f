"""From what was seen of pods, nodes and endpoints to how each pod that a fault hit was replaced.

All stamps are the harness's own at receipt, so no clocks of two machines are compared (those that
the API writes have whole seconds). What is seen at t was so a little earlier: by what a watch's
word takes, or since the last moment at which somebody told of it (`since` of the event).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from quorate.harness.judge.evidence import Evidence
from quorate.harness.judge.intervals import GOOD_CODE
from quorate.harness.judge.result import Number, result, state_of, unanswered
from quorate.harness.judge.sightings import Data, Seen, Sightings
from quorate.harness.model.objectives import TimeToRescheduled
from quorate.harness.model.rescheduling import Phase, PodRescheduling, Rescheduling, Span
from quorate.harness.model.timeline import Event
from quorate.harness.model.verdict import ObjectiveResult, State

SERVICE = "service"
"""First word of the paths by which the service under watch is asked."""


def time_to_rescheduled(objective: TimeToRescheduled, evidence: Evidence) -> ObjectiveResult:
    """Until the last pod that was hit is replaced; MISSED only where it was watched for so long."""
    sightings = Sightings.of(evidence.timeline)
    if evidence.timeline.first("injection_started") is None:
        return unanswered(objective, "there is no injection to count from")
    if not sightings.pods:
        return unanswered(objective, "nothing was seen of any pod")
    found = [one for one in reschedulings(evidence) if one.owner == objective.owner]
    if not found:
        nodes = ", ".join(node for one in _injections(evidence) for node in _nodes(one))
        return unanswered(objective, f"no pod of {objective.owner} was on {nodes or 'the target'}")
    last = max(found, key=lambda one: one.served[1] if one.served else float("inf"))
    if last.served is None:
        return _not_served(objective, last, evidence)
    low, high = last.served
    state = state_of(over=low > objective.at_most, surely_within=high <= objective.at_most)
    number = Number(high, low, high, (last.at, last.at + high))
    count = sum(len(one.pods) for one in found)
    reason = f"{count} pod(s) of {objective.owner}"
    return result(objective, number=number, state=state, reason=reason)


def _not_served(
    objective: TimeToRescheduled, one: Rescheduling, evidence: Evidence
) -> ObjectiveResult:
    """Too late only where it was watched for longer than is allowed, by somebody who saw."""
    over = one.watched_s > objective.at_most and not one.blind
    left = ", ".join(pod.pod for pod in one.pods if Phase.READY not in pod.phases)
    reason = f"without a replacement that serves after {one.watched_s:.1f} s: {left or 'endpoints'}"
    if one.blind:
        reason += "; at the injection or at the end no API server told of pods"
    elif not over:
        cut = evidence.cut_short
        reason += f"; {cut}" if cut else "; the undo came before the bound: watch it for longer"
    watched = (one.at, one.at + one.watched_s)
    return result(
        objective,
        number=Number(one.watched_s, one.watched_s, None, watched, censored=True),
        state=State.MISSED if over else State.INCONCLUSIVE,
        reason=reason,
    )


def reschedulings(evidence: Evidence) -> tuple[Rescheduling, ...]:
    """One for each fault and owner of which a pod was hit."""
    sightings = Sightings.of(evidence.timeline)
    found = [
        _Judging(evidence, sightings, injected).owner(owner)
        for injected in _injections(evidence)
        for owner in sightings.owners_on(_nodes(injected), at=injected.t)
    ]
    return tuple(one for one in found if one.pods)


@dataclass(frozen=True)
class _Judging:
    """One fault."""

    evidence: Evidence
    sightings: Sightings
    injected: Event

    @cached_property
    def act_s(self) -> float:
        """It bit within this: by the end of its act, or when the first pod that it hit had felt it
        (the act of a drain goes on for as long as that lasts)."""
        of_it = self.injected.data.get("injection")
        acted = self.evidence.timeline.of_kind("injection_acted")
        ended = [one.t for one in acted if one.data.get("injection") == of_it]
        for owner in self.sightings.owners_on(_nodes(self.injected), at=self.injected.t):
            for uid in self._hit(owner):
                felt = (self._first(uid, _is_ending), self._first(uid, self._has_died(uid)))
                ended += [one.t for one in felt if one is not None]
        return min(ended, default=self.until) - self.injected.t

    def owner(self, owner: str) -> Rescheduling:
        hit = sorted(self._hit(owner), key=self._left_at)
        new = self._replacements(owner, hit=hit)
        pods = tuple(self._pod(uid, by=new.get(uid)) for uid in hit)
        blind = any(self.sightings.is_blind(t) for t in (self.injected.t, self.until))
        # Where nobody told of endpoints, that none was seen says nothing.
        needed = Phase.ENDPOINT if blind or self.sightings.has_endpoints(owner) else Phase.READY
        served = None
        if pods and all(needed in pod.phases for pod in pods):
            served = (
                max(pod.phases[needed][0] for pod in pods),
                max(pod.phases[needed][1] for pod in pods),
            )
        return Rescheduling(
            owner=owner,
            fault=str(self.injected.data.get("fault")),
            nodes=_nodes(self.injected),
            at=self.injected.t,
            pods=pods,
            served=served,
            watched_s=round(self.until - self.injected.t, 6),
            blind=blind,
        )

    @property
    def until(self) -> float:
        """What comes after the undo is not the cluster's doing alone."""
        undos = (one.t for one in self.evidence.timeline.of_kind("undo_started"))
        after = [t for t in undos if t >= self.injected.t]
        return min([*after, self.evidence.timeline.end])

    def _hit(self, owner: str) -> Iterator[str]:
        """Pods on the faulted nodes at the injection; only those that the fault meant by name."""
        named = _named(self.injected)
        for uid, history in self.sightings.pods.items():
            before = history.before(self.injected.t)
            if before is None or before.get("owner") != owner or before.get("ending"):
                continue
            name = f"{before.get('namespace')}/{before.get('name')}"
            if before.get("node") in _nodes(self.injected) and (named is None or name in named):
                yield uid

    def _left_at(self, uid: str) -> float:
        ended = self._first(uid, _is_ending)
        return ended.t if ended else float("inf")

    def _replacements(self, owner: str, *, hit: list[str]) -> dict[str, str]:
        """Hit pod → the pod in its place: its namesake (a StatefulSet's), else in order of coming.

        A pod that was there before the fault replaces nobody, nor does one that was gone again.
        """
        new = {
            uid: history.data[0]
            for uid, history in self.sightings.pods.items()
            if history.began(after=self.injected.t, until=self.until)
            and history.data[0].get("owner") == owner
        }
        found: dict[str, str] = {}
        for uid in hit:
            name = self.sightings.pods[uid].data[-1].get("name")
            same = [one for one, data in new.items() if data.get("name") == name]
            if same:
                found[uid] = same[-1]
        rest = sorted((one for one in new if one not in found.values()), key=self._rank)
        alone = [uid for uid in hit if uid not in found and not self._came_back(uid)]
        return found | dict(zip(alone, rest, strict=False))

    def _rank(self, uid: str) -> tuple[float, float]:
        """Those that came to serve first, those that went again last."""
        ready = self._first(uid, _is_ready)
        return (ready.t if ready else float("inf"), self.sightings.pods[uid].times[0].t)

    def _came_back(self, uid: str) -> bool:
        return self._first(uid, _is_started_again(self._restarts(uid))) is not None

    def _restarts(self, uid: str) -> object:
        before = self.sightings.pods[uid].before(self.injected.t)
        return None if before is None else before.get("restarts")

    def _pod(self, uid: str, *, by: str | None) -> PodRescheduling:
        before = self.sightings.pods[uid].before(self.injected.t) or {}
        if by is None and self._came_back(uid):
            by = uid
        again = _is_started_again(self._restarts(uid))
        seen: dict[Phase, Seen | None] = {
            Phase.DETECT: self._detected(uid, node=str(before.get("node"))),
            Phase.TAINT: self._node(str(before.get("node")), lambda one: bool(one["no_execute"])),
            Phase.WITHDRAWN: self.sightings.endpoint(uid, False, self.injected.t, self.until),
            Phase.EVICT: self._first(uid, _is_ending),
        }
        if by is not None:
            since = self._first(uid, again) if by == uid else None
            after = since.t if since else self.injected.t
            seen |= {
                Phase.START: since or self._first(by, lambda one: one.get("started") is True),
                Phase.READY: self._first(by, _is_ready, after=after),
                Phase.ENDPOINT: self._endpoint(uid, by=by, after=after),
            }
        if by is not None and by != uid:
            seen[Phase.CREATE] = self._first(by, lambda one: True)
            seen[Phase.SCHEDULE] = self._first(by, lambda one: one.get("node") is not None)
        phases = _in_order({phase: self._span(seen[phase]) for phase in Phase if seen.get(phase)})
        if Phase.ENDPOINT in phases and (good := self._good_after(seen[Phase.ENDPOINT])):
            phases[Phase.FIRST_GOOD] = good
        place = self.sightings.pods[by].before(self.until) if by is not None else None
        return PodRescheduling(
            pod=_name(before),
            node=str(before.get("node")),
            by=None if place is None else _name(place),
            on=None if place is None else str(place.get("node")),
            phases=phases,
        )

    def _endpoint(self, uid: str, *, by: str, after: float) -> Seen | None:
        """A pod that is started again may never have been taken out: then it is back when ready."""
        found = self.sightings.endpoint(by, True, after, self.until)
        if found is not None or by != uid:
            return found
        ready = self._first(by, _is_ready, after=after)
        there = ready is not None and self.sightings.is_endpoint(by, at=ready.t)
        return ready if there else None

    def _detected(self, uid: str, *, node: str) -> Seen | None:
        """Its node not Ready, or its containers dead while nobody has told it to end."""
        found = [
            self._node(node, lambda one: one["ready"] != "True"),
            self._first(uid, self._has_died(uid)),
        ]
        return min((one for one in found if one), key=lambda one: one.t, default=None)

    def _has_died(self, uid: str) -> Callable[[Data], bool]:
        restarts = self._restarts(uid)

        def holds(one: Data) -> bool:
            dead = one.get("started") is False or one.get("restarts") != restarts
            return dead and not _is_ending(one)

        return holds

    def _node(self, node: str, holds: Callable[[Data], bool]) -> Seen | None:
        history = self.sightings.nodes.get(node)
        return None if history is None else history.first(holds, self.injected.t, self.until)

    def _first(
        self, uid: str, holds: Callable[[Data], bool], *, after: float | None = None
    ) -> Seen | None:
        since = self.injected.t if after is None else after
        return self.sightings.pods[uid].first(holds, since, self.until)

    def _span(self, seen: Seen | None) -> Span:
        assert seen is not None
        low = max(0.0, seen.since - self.injected.t - self.act_s)
        return round(low, 6), round(seen.t - self.injected.t, 6)

    def _good_after(self, seen: Seen | None) -> Span | None:
        """The answer to the first of three good samples on end that were due after that moment."""
        assert seen is not None
        for name, spec in self.evidence.experiment.probes.items():
            if spec.path.partition(":")[0] != SERVICE:
                continue
            deadline_s = self.evidence.experiment.deadlines_s(name)[0]
            samples = self.evidence.classified(name, deadline_s=deadline_s)
            tick = samples.codes.find(GOOD_CODE * 3, samples.tick_at(seen.t))
            if tick < 0:
                return None
            answered = samples.due(tick) + samples.took_s(tick)
            early_s = samples.period_s + seen.t - seen.since
            return self._span(Seen(answered, answered - early_s))
        return None


def _in_order(phases: dict[Phase, Span]) -> dict[Phase, Span]:
    """One follows from the other, so none was earlier than what the one before can have been."""
    earliest, found = 0.0, dict(phases)
    for phase in (Phase.CREATE, Phase.SCHEDULE, Phase.START, Phase.READY, Phase.ENDPOINT):
        if phase in found:
            low, high = found[phase]
            earliest = min(high, max(low, earliest))
            found[phase] = (earliest, high)
    return found


def _injections(evidence: Evidence) -> tuple[Event, ...]:
    return evidence.timeline.of_kind("injection_started")


def _nodes(injected: Event) -> tuple[str, ...]:
    nodes = injected.data.get("nodes")
    return tuple(map(str, nodes)) if isinstance(nodes, list | tuple) else ()


def _named(injected: Event) -> set[str] | None:
    """The pods that the fault wrote down as meant (`pods:<node>`); None where it means a node."""
    before = injected.data.get("before")
    texts = [
        str(value)
        for key, value in (before.items() if isinstance(before, Mapping) else ())
        if str(key).startswith("pods:")
    ]
    return {name for text in texts for name in _names(text)} if texts else None


def _names(text: str) -> list[str]:
    """``ns/a, ns/b``, or a JSON object of uid → name."""
    try:
        found = json.loads(text)
    except ValueError:
        return text.split(", ")
    return [str(name) for name in found.values()] if isinstance(found, dict) else []


def _name(data: Data) -> str:
    return f"{data.get('namespace')}/{data.get('name')}"


def _is_ending(one: Data) -> bool:
    return one.get("ending") is True or one.get("gone") is True


def _is_ready(one: Data) -> bool:
    return one.get("ready") is True and not _is_ending(one)


def _is_started_again(restarts: object) -> Callable[[Data], bool]:
    return lambda one: one.get("started") is True and one.get("restarts") != restarts
