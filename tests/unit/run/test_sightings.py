"""Three API servers tell of the same objects: each change is written once, gaps are owned up to."""

from __future__ import annotations

from typing import Any

import pytest

from quorate.harness.drivers.watched import Noticed, NoticedKind, Thing
from quorate.harness.run.sightings import CATCHING_UP_S, Sighting, Sightings

PODS = "pods of shop"


def thing(version: int, *, uid: str = "u1", **data: Any) -> Thing:
    return Thing("pod_seen", uid, version, {"uid": uid, "ready": True, **data})


class Heard:
    """Words by time in seconds; `told` is what they came to."""

    def __init__(self) -> None:
        self.sightings = Sightings()
        self.told: list[Sighting] = []

    def say(self, t: float, server: str, kind: NoticedKind, *things: Thing, **more: int) -> None:
        word = Noticed(round(t * 1e9), PODS, server, kind, things, **more)
        self.told += self.sightings.take(word)


@pytest.fixture
def heard() -> Heard:
    """cp1 and cp2 have listed one pod and tell of changes since 1 s."""
    found = Heard()
    for server in ("cp1", "cp2"):
        found.say(0.9, server, "listed", thing(5), version=7)
        found.say(1.0, server, "opened")
    assert [one.data["uid"] for one in found.told] == ["u1"], "once"
    found.told.clear()
    return found


def test_the_first_to_tell_is_the_one_that_counts(heard: Heard) -> None:
    heard.say(5.0, "cp2", "changed", thing(9, ready=False))
    heard.say(5.3, "cp1", "changed", thing(9, ready=False))
    assert [(one.t, one.since, one.data["ready"]) for one in heard.told] == [(5.0, None, False)]


def test_a_server_that_lags_brings_nothing_back(heard: Heard) -> None:
    heard.say(5.0, "cp2", "changed", thing(9, ready=False))
    heard.say(5.1, "cp2", "deleted", thing(10, ready=False))
    heard.say(8.0, "cp1", "changed", thing(8))
    heard.say(8.1, "cp1", "listed", thing(8), version=8)
    assert [one.data.get("gone") for one in heard.told] == [None, True]


def test_what_concerns_no_fact_of_ours_is_not_written(heard: Heard) -> None:
    heard.say(5.0, "cp1", "changed", thing(9))
    assert heard.told == []


def test_what_nobody_may_list_is_told_once(heard: Heard) -> None:
    for server in ("cp1", "cp2"):
        word = Noticed(5_000_000_000, "endpoints of shop", server, "lost")
        heard.told += heard.sightings.take(word)
    assert [(one.kind, one.data) for one in heard.told] == [
        ("watch_blind", {"resource": "endpoints of shop", "blind": True})
    ]


def test_losing_one_blinds_nobody(heard: Heard) -> None:
    heard.say(5.0, "cp1", "lost", until_ns=4_000_000_000)
    heard.say(6.0, "cp2", "changed", thing(9, ready=False))
    assert [(one.kind, one.since) for one in heard.told] == [("pod_seen", None)]


def test_what_is_found_after_a_gap_may_have_been_so_all_along(heard: Heard) -> None:
    heard.say(5.0, "cp1", "lost", until_ns=4_000_000_000)
    heard.say(6.0, "cp2", "lost", until_ns=5_500_000_000)
    heard.say(20.0, "cp1", "listed", thing(30, uid="u2"), version=40)
    heard.say(20.1, "cp1", "opened")
    heard.say(20.2, "cp1", "changed", thing(41, uid="u2", ready=False))
    heard.say(20.1 + CATCHING_UP_S + 0.1, "cp1", "changed", thing(42, uid="u2"))
    told = [(one.kind, one.data.get("uid"), one.data.get("gone"), one.since) for one in heard.told]
    assert told == [
        ("watch_blind", None, None, None),
        ("pod_seen", "u2", None, 5.5),
        ("pod_seen", "u1", True, 5.5),
        ("watch_blind", None, None, None),
        ("pod_seen", "u2", None, 5.5),
        ("pod_seen", "u2", None, None),
    ]
    assert [one.data["blind"] for one in heard.told if one.kind == "watch_blind"] == [True, False]
