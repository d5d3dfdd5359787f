"""What all API servers tell of pods, nodes and endpoints, put together: each change once; pure.

A change counts when the first API server tells of it. What is heard after a time in which none
told anything may have happened at any moment of it, and carries `since`: the last moment at which
it had not been so. (An API server that falls silent without a word counts as telling for up to
drivers.watching.WATCH_S: only if it was the last one is a change in that time called too late.)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from quorate.harness.drivers.watched import Noticed, Thing

CATCHING_UP_S = 0.3
"""What comes sooner after a watch has been opened may have happened before that."""


class Sighting(NamedTuple):
    """An event to be written; `t` and `since` in seconds on CLOCK_MONOTONIC.

    `kind` and `data` as of drivers.watched.Thing (data with `gone: true` for the last one), or
    `watch_blind`: resource, and whether nobody tells of it from now on.
    """

    t: float
    kind: str
    data: Mapping[str, object]
    since: float | None = None


@dataclass
class _Resource:
    """What is known of one resource."""

    opened: dict[str, float] = field(default_factory=dict)
    """API server that tells of it → since when."""
    until: float = 0.0
    """All that had happened by then is known."""
    blind: bool = False
    versions: dict[str, int] = field(default_factory=dict)
    things: dict[str, Thing] = field(default_factory=dict)


class Sightings:
    """Takes the words of many followers in the order of their receipt."""

    def __init__(self) -> None:
        self._resources: dict[str, _Resource] = {}

    def take(self, noticed: Noticed) -> list[Sighting]:
        """What is new in one word."""
        t, one = noticed.t_ns / 1e9, self._resources.setdefault(noticed.resource, _Resource())
        if noticed.kind == "opened":
            return list(_opened(one, noticed, t=t))
        if noticed.kind == "lost":
            return list(_lost(one, noticed, t=t))
        since = _since(one, t=t)
        found = [
            sighting
            for thing in noticed.things
            if (sighting := _new(one, thing, t=t, gone=noticed.kind == "deleted"))
        ]
        if noticed.kind == "listed":
            found += _missing(one, noticed, t=t)
        return [sighting._replace(since=since) for sighting in found]


def _opened(one: _Resource, noticed: Noticed, *, t: float) -> Iterator[Sighting]:
    one.opened[noticed.server] = t
    if one.blind:
        one.blind = False
        yield Sighting(t, "watch_blind", {"resource": noticed.resource, "blind": False})


def _lost(one: _Resource, noticed: Noticed, *, t: float) -> Iterator[Sighting]:
    one.opened.pop(noticed.server, None)
    one.until = max(one.until, noticed.until_ns / 1e9)
    if not one.opened and not one.blind:
        one.blind = True
        yield Sighting(t, "watch_blind", {"resource": noticed.resource, "blind": True})


def _since(one: _Resource, *, t: float) -> float | None:
    """None where somebody has been telling for a while, so that this is news."""
    if any(t - opened > CATCHING_UP_S for opened in one.opened.values()):
        one.until = t
        return None
    return one.until


def _new(one: _Resource, thing: Thing, *, t: float, gone: bool) -> Sighting | None:
    """None for what another API server has told already, or what concerns no fact of ours."""
    if thing.version <= one.versions.get(thing.uid, 0):
        return None
    one.versions[thing.uid] = thing.version
    before = one.things.get(thing.uid)
    if gone:
        one.things.pop(thing.uid, None)
        return Sighting(t, thing.kind, {**thing.data, "gone": True})
    one.things[thing.uid] = thing
    same = before is not None and before.data == thing.data
    return None if same else Sighting(t, thing.kind, thing.data)


def _missing(one: _Resource, noticed: Noticed, *, t: float) -> list[Sighting]:
    """What was there and is not in a list that is newer."""
    there = {thing.uid for thing in noticed.things}
    gone = [
        thing
        for uid, thing in one.things.items()
        if uid not in there and one.versions[uid] < noticed.version
    ]
    for thing in gone:
        del one.things[thing.uid]
        one.versions[thing.uid] = noticed.version
    return [Sighting(t, thing.kind, {**thing.data, "gone": True}) for thing in gone]
