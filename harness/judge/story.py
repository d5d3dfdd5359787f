"""What happened, told from the facts: who held what, which component came back last.

Facts are stamped when the harness hears of them, so they come a little late; a component counts
as the last one before clients recovered when its change was heard within HEARD_LATE_S after it.
"""

from __future__ import annotations

from collections.abc import Mapping

from quorate.harness.judge.evidence import Evidence
from quorate.harness.judge.intervals import Interval
from quorate.harness.judge.seen import Seen
from quorate.harness.judge.times import last_whole
from quorate.harness.model.objectives import OfOneProbe
from quorate.harness.model.timeline import Event
from quorate.harness.model.verdict import ComponentChange, Story

HEARD_LATE_S = 0.5
"""The slowest follower polls at 2 Hz (team brief: followers)."""

ON_CLIENTS_WAY = ("vip", "haproxy", "haproxy_backend", "nginx", "apiserver", "etcd_leader")
"""Components whose coming back can end an outage; the others only restore redundancy."""


def tell(evidence: Evidence) -> Story:
    """The story of a run; fields are None where the run does not say."""
    timeline = evidence.timeline
    injected = timeline.first("injection_started")
    holder, leader = _before(evidence, injected=injected)
    probe, seen = _asked_first(evidence)
    outage = seen.longest if seen is not None else None
    nodes = _nodes(injected)
    since = injected.t if injected is not None else None
    until = outage.end if outage is not None else None
    whole = last_whole(evidence)
    whole_at = whole.t if whole is not None and whole.data.get("whole") is True else None
    return Story(
        injected_at=since,
        faulted_nodes=nodes,
        vip_holder_before=holder,
        etcd_leader_before=leader,
        holder_led_etcd=None if holder is None or leader is None else holder == leader,
        outage=None if outage is None else (round(outage.start, 6), round(outage.end, 6)),
        outage_of=None if outage is None else probe,
        scattered=seen is not None and seen.scatter is not None,
        components=_changes(timeline.of_kind("fact"), since=since, until=until),
        last_component_for_clients=_last_for_clients(evidence, outage=outage, nodes=nodes),
        last_component_for_whole=_last_for_whole(evidence, whole_at=whole_at),
        whole_at=whole_at,
    )


def _before(evidence: Evidence, *, injected: Event | None) -> tuple[str | None, str | None]:
    """(VIP holder, etcd leader): as seen right before the act, else when targets were resolved."""
    facts: dict[str, object] = {}
    for event in (evidence.timeline.first("targets_resolved"), injected):
        found = event.data.get("facts") if event is not None else None
        if isinstance(found, Mapping):
            facts.update({key: value for key, value in found.items() if value is not None})
    return _word(facts.get("vip_holder")), _word(facts.get("etcd_leader"))


def _word(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _nodes(injected: Event | None) -> tuple[str, ...]:
    nodes = injected.data.get("nodes") if injected is not None else None
    return tuple(map(str, nodes)) if isinstance(nodes, list | tuple) else ()


def _asked_first(evidence: Evidence) -> tuple[str | None, Seen | None]:
    """The fault phase as the first objective about one probe sees it."""
    phase, first = evidence.phases.get("fault"), first_of_one_probe(evidence)
    if phase is None or first is None:
        return None, None
    return first.of, evidence.seen(first.of, deadline_s=first.deadline_s, phase=phase)


def first_of_one_probe(evidence: Evidence) -> OfOneProbe | None:
    """The objective that the experiment's author put first: the question, most likely."""
    asked = (one for one in evidence.experiment.objectives if isinstance(one, OfOneProbe))
    return next(asked, None)


def _changes(
    facts: tuple[Event, ...], *, since: float | None, until: float | None
) -> tuple[ComponentChange, ...]:
    """Changes from the injection to the end of the outage (and what was heard a little late)."""
    if since is None or until is None:
        return ()
    return tuple(
        ComponentChange(
            t=event.t,
            after_s=round(event.t - since, 6),
            component=str(event.data.get("component")),
            node=_word(event.data.get("node")),
            at=_word(event.data.get("at")),
            state=str(event.data.get("state")),
            good=event.data.get("good") if isinstance(event.data.get("good"), bool) else None,
        )
        for event in facts
        if since <= event.t <= until + HEARD_LATE_S
    )


def _last_for_clients(
    evidence: Evidence, *, outage: Interval | None, nodes: tuple[str, ...]
) -> str | None:
    """The last change that can have let clients in again before the outage ended."""
    if outage is None or outage.censored:
        return None
    last = None
    for event in evidence.timeline.of_kind("fact"):
        if outage.start <= event.t <= outage.end + HEARD_LATE_S and _lets_in(event, nodes=nodes):
            last = event
    return None if last is None else _named(last)


def _lets_in(event: Event, *, nodes: tuple[str, ...]) -> bool:
    """A component on the clients' way that came back, or a dead backend that was taken out."""
    component, good = event.data.get("component"), event.data.get("good")
    if component not in ON_CLIENTS_WAY:
        return False
    taken_out = component == "haproxy_backend" and event.data.get("node") in nodes
    return good is False if taken_out else good is True


def _last_for_whole(evidence: Evidence, *, whole_at: float | None) -> str | None:
    """The last component that turned good before the cluster was whole after the undo."""
    undo = evidence.timeline.first("undo_started")
    if undo is None or whole_at is None:
        return None
    back = [
        event
        for event in evidence.timeline.of_kind("fact")
        if undo.t <= event.t <= whole_at and event.data.get("good") is True
    ]
    return _named(back[-1]) if back else None


def _named(event: Event) -> str:
    """``haproxy_backend cp1 (on cp2)``."""
    component, node, at = (event.data.get(key) for key in ("component", "node", "at"))
    text = str(component) if node is None else f"{component} {node}"
    return text if at is None else f"{text} (on {at})"
