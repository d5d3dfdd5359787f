"""What clients see right now, from files that grow; the clock is ours."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from quorate.harness.sampling.live import SETTLE_S, LiveView
from quorate.harness.store.run_directory import RunDirectory

DEADLINE_S = 0.5
Write = Callable[..., None]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Files:
    """Stands for a run directory: only the place of the sample files is asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def samples_file(self, probe: str) -> Path:
        return self._folder / f"{probe}.jsonl"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def view(tmp_path: Path, clock: Clock) -> LiveView:
    run = cast("RunDirectory", Files(tmp_path))
    return LiveView(run, rates_hz={"api": 10.0}, clock=clock)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(spelled: str, *, first: int = 0) -> None:
        with (tmp_path / "api.jsonl").open("a") as file:
            for tick, letter in enumerate(spelled, start=first):
                if letter == " ":
                    continue
                due = round(1.0 + tick * 0.1, 6)
                end = due + (0.9 if letter == "~" else 0.01)
                outcome = {".": "OK", "~": "OK", "!": "FAILED", "?": "UNKNOWN"}[letter]
                row = {"k": tick, "due": due, "start": due, "end": end, "o": outcome}
                file.write(json.dumps(row) + "\n")

    return write


def test_nothing_is_known_before_the_first_sample(view: LiveView, clock: Clock) -> None:
    clock.now = 100.0
    view.poll()
    assert view.good_for_s("api", deadline_s=DEADLINE_S) == 0
    assert view.current_outage("api", deadline_s=DEADLINE_S) is None
    assert view.last_bad_due("api", deadline_s=DEADLINE_S) is None
    assert view.counts("api", deadline_s=DEADLINE_S).total == 0


@pytest.mark.parametrize(
    ("spelled", "good_s", "last_bad"),
    [
        ("..........", 0.9, None),
        ("....!.....", 0.4, 1.4),
        ("....?.....", 0.4, 1.4),
        ("....~.....", 0.4, 1.4),
        (".........!", 0.0, 1.9),
    ],
)
def test_good_stretch_ends_at_the_last_sample_that_was_not_good(
    view: LiveView, clock: Clock, write: Write, spelled: str, good_s: float, last_bad: float | None
) -> None:
    clock.now = 2.0
    write(spelled)
    view.poll()
    assert view.good_for_s("api", deadline_s=DEADLINE_S) == pytest.approx(good_s)
    assert view.last_bad_due("api", deadline_s=DEADLINE_S) == last_bad


def test_a_request_that_hangs_is_an_outage_once_its_deadline_has_passed(
    view: LiveView, clock: Clock, write: Write
) -> None:
    write(".....")  # the last one is due at 1.4
    clock.now = 1.5 + DEADLINE_S + SETTLE_S - 0.01
    view.poll()
    assert view.current_outage_s("api", deadline_s=DEADLINE_S) == 0
    clock.now = 3.5
    assert view.current_outage_s("api", deadline_s=DEADLINE_S) == pytest.approx(2.0)
    assert view.good_for_s("api", deadline_s=DEADLINE_S) == 0
    assert view.longest_outage_s("api", deadline_s=DEADLINE_S, since=0) == pytest.approx(2.0)
    assert view.longest_outage_s("api", deadline_s=DEADLINE_S, since=1.6) == 0


def test_an_answer_still_under_way_ends_the_known_part(
    view: LiveView, clock: Clock, write: Write
) -> None:
    write("... ..")
    clock.now = 1.55
    view.poll()
    assert view.counts("api", deadline_s=DEADLINE_S).total == 3
    assert view.settled_until("api", deadline_s=DEADLINE_S) == 1.3
    write(".", first=3)
    view.poll()
    assert view.counts("api", deadline_s=DEADLINE_S).good == 6
    assert view.counts("api", deadline_s=DEADLINE_S, since=1.2, until=1.4).good == 2


def test_half_a_line_waits_for_its_end(
    view: LiveView, clock: Clock, write: Write, tmp_path: Path
) -> None:
    clock.now = 1.5
    write("...")
    file = tmp_path / "api.jsonl"
    whole = file.read_bytes()
    file.write_bytes(whole[:-20])
    view.poll()
    assert view.counts("api", deadline_s=DEADLINE_S).total == 2
    file.write_bytes(whole)
    view.poll()
    assert view.counts("api", deadline_s=DEADLINE_S).total == 3


def test_what_a_node_cannot_have_told_is_unknown_and_what_it_should_have_is_bad(
    tmp_path: Path, clock: Clock, write: Write
) -> None:
    """A lost link is no outage, and no proof that all is well."""
    heard = 2.0
    run = cast("RunDirectory", Files(tmp_path))
    view = LiveView(run, rates_hz={"api": 10.0}, heard={"api": lambda: heard}, clock=clock)
    write("." * 10)  # due from 1.0 to 1.9
    clock.now = 2.0 + DEADLINE_S + SETTLE_S
    view.poll()
    counted = view.counts("api", deadline_s=DEADLINE_S)
    assert (counted.good, counted.bad, counted.unknown) == (10, 0, 0), "it may be on its way"
    clock.now = 10.0
    assert view.good_for_s("api", deadline_s=DEADLINE_S) == 0.0
    counted = view.counts("api", deadline_s=DEADLINE_S)
    assert (counted.good, counted.bad) == (10, 0)
    assert counted.unknown > 50
    heard = 10.0  # the link is back, and there was nothing to tell
    assert view.counts("api", deadline_s=DEADLINE_S).bad > 60
    write("." * 70, first=10)
    view.poll()
    counted = view.counts("api", deadline_s=DEADLINE_S)
    assert (counted.good, counted.unknown) == (80, 0)
