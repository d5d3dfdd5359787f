"""10 000 random transitions against a fault that fails one time in ten, and never a lie."""

from __future__ import annotations

import contextlib
import random
from collections import Counter
from pathlib import Path

import pytest

from quorate.harness.errors import (
    CommandFailed,
    FaultError,
    RefusedError,
    StoreError,
    UndoUnconfirmed,
)
from quorate.harness.model.undo import Undo
from quorate.harness.undo.injection import Injection, InjectionState
from quorate.harness.undo.journal import UndoJournal

TRANSITIONS = 10_000
FAILS = 0.1


class World:
    """What is really on; every touch of it fails one time in ten, before or after its effect."""

    def __init__(self, random_: random.Random) -> None:
        self.on: set[str] = set()
        self._random = random_

    def fails(self) -> bool:
        return self._random.random() < FAILS

    def put_on(self, names: list[str]) -> None:
        for name in names:
            if self.fails():
                raise CommandFailed("n", argv=["act"], returncode=1, stderr="before its effect")
            self.on.add(name)
            if self.fails():
                raise CommandFailed("n", argv=["act"], returncode=1, stderr="after its effect")

    def take_off(self, undo: Undo) -> None:
        if self.fails():
            raise UndoUnconfirmed("before its effect")
        self.on.discard(undo.id)
        if self.fails():
            raise UndoUnconfirmed("after its effect")

    def sync(self, _descriptor: int) -> None:
        """In place of fsync, and one time in ten the disk is full."""
        if self.fails():
            raise OSError(28, "No space left on device")


class Life:
    """One injection in the world, moved at random; `crash` forgets all but the disk."""

    def __init__(self, number: int, *, world: World, directory: Path) -> None:
        self.world = world
        self.directory = directory
        self.names = [f"{number}-a", f"{number}-b"]
        self.path = directory / f"undo-{number}.jsonl"
        self.planned = self._planned(UndoJournal(self.path, sync=world.sync))

    def _planned(self, journal: UndoJournal) -> Injection:
        undos = [
            Undo(id=name, injection="i", node="n", argv=("undo",), text="back")
            for name in self.names
        ]
        return Injection("i", undos=undos, journal=journal)

    def move(self, choice: str) -> None:
        with contextlib.suppress(FaultError, RefusedError, StoreError):
            if choice == "inject":
                self.planned.inject(lambda: self.world.put_on(self.names))
            elif choice == "prove":
                self.planned.prove(lambda: (bool(self.on), "looked"))
            elif choice == "undo":
                self.planned.undo(self.world.take_off)
            else:
                # A fresh process: it knows only the run directory.
                self.planned = self._planned(UndoJournal(self.path, sync=self.world.sync))
                self.planned.undo(self.world.take_off)

    @property
    def on(self) -> set[str]:
        return self.world.on & set(self.names)

    def tells_the_truth(self) -> None:
        state = self.planned.state
        pending = {undo.id for undo in UndoJournal(self.path).pending()}
        assert self.on <= pending, "something is on that the disk does not know"
        if state in (InjectionState.PLANNED, InjectionState.UNDONE):
            assert not self.on, f"{state} while on"
            assert not pending, f"{state} while pending"
        if self.planned.proved:
            assert state is not InjectionState.PLANNED


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_ten_thousand_random_transitions_end_in_undone_or_dirty(tmp_path: Path, seed: int) -> None:
    random_ = random.Random(seed)
    world = World(random_)
    states: Counter[InjectionState] = Counter()
    moves, number = 0, 0
    while moves < TRANSITIONS:
        number += 1
        life = Life(number, world=world, directory=tmp_path)
        for _ in range(random_.randint(1, 8)):
            life.move(random_.choice(["inject", "inject", "prove", "undo", "crash"]))
            life.tells_the_truth()
            moves += 1
            if life.planned.state is InjectionState.UNDONE:
                break  # nothing moves it any more (test_a_fault_lives_once)
        life.move("undo")
        life.tells_the_truth()
        states[life.planned.state] += 1
        life.path.unlink(missing_ok=True)
        world.on.clear()
    assert set(states) == {InjectionState.UNDONE, InjectionState.DIRTY}
    assert min(states.values()) > 50, "the failures did not show"


def test_what_is_dirty_becomes_undone_when_the_fault_lets_go(tmp_path: Path) -> None:
    world = World(random.Random(4))
    for number in range(50):
        life = Life(number, world=world, directory=tmp_path)
        life.move("inject")
        for _ in range(100):
            life.move("undo")
            life.tells_the_truth()
        assert life.planned.state is InjectionState.UNDONE
    assert world.on == set()
