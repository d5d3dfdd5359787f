"""One fault's life, as a state machine that would rather say "dirty" than lie.

::

    planned ──inject──▶ active ──undo, confirmed──▶ undone
       │                   │                          ▲
       │                   └──undo failed──▶ dirty ───┤ undo again, confirmed
       │                                     │  ▲     │
       │                                     └──┘ undo failed again
       └──undo (nothing was ever written down)────────┘

active -- at least one undo may be in the journal, so the fault may be on: entered *before* the act
    and whether or not the act raises.
undone -- every undo that was written down is settled in the journal: confirmed, by us or by
    whoever settled first (a guardian, ``quorate undo``).
dirty -- an undo failed: the cluster may still be faulted. Left only by a settlement that succeeds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum

from quorate.harness.errors import (
    InjectionFailed,
    InjectionUnproved,
    QuorateError,
    RefusedError,
    UndoFailed,
)
from quorate.harness.model.undo import Undo
from quorate.harness.undo.journal import UndoJournal
from quorate.harness.undo.settle import Execute, settle


class InjectionState(StrEnum):
    """Where a fault is in its life; see the drawing in the module's docstring."""

    PLANNED = "planned"
    ACTIVE = "active"
    UNDONE = "undone"
    DIRTY = "dirty"


class Injection:
    """A fault (or an arrangement) with its undos as data, in the order to be written down."""

    def __init__(self, name: str, *, undos: Sequence[Undo], journal: UndoJournal) -> None:
        self.name = name
        self.undos = tuple(undos)
        self.proved: bool | None = None
        self._journal = journal
        self._recorded: list[Undo] = []
        self._state = InjectionState.PLANNED

    @property
    def state(self) -> InjectionState:
        """Where the fault is in its life."""
        return self._state

    def inject(self, act: Callable[[], object]) -> None:
        """Write all undos down, then act. The fault is active from here on, even if this raises.

        Raises RefusedError unless planned, StoreError if an undo cannot be written down (the act
        is then not run), InjectionFailed if ``act`` raised one of our errors; others go through. In
        none of these cases is anything undone here: the caller does that, by `undo`.
        """
        if self._state is not InjectionState.PLANNED:
            raise RefusedError(f"{self.name} is {self._state}: it can be injected only once")
        self._state = InjectionState.ACTIVE
        for undo in self.undos:
            self._journal.record(undo)
            self._recorded.append(undo)
        try:
            act()
        except QuorateError as error:
            raise InjectionFailed(f"{self.name}: the act failed: {error}") from error

    def prove(self, prove: Callable[[], tuple[bool, str]]) -> str:
        """Ask whether the fault bit, by something other than the act; returns the evidence.

        ``prove`` returns (bit, evidence). Raises InjectionUnproved when it says no, RefusedError
        unless active. What ``prove`` raises goes through; the fault stays unproved.
        """
        if self._state is not InjectionState.ACTIVE:
            raise RefusedError(f"{self.name} is {self._state}: only an active fault can be proved")
        self.proved = False
        self.proved, evidence = prove()
        if not self.proved:
            raise InjectionUnproved(f"{self.name}: nothing shows that it bit: {evidence}")
        return evidence

    def undo(self, execute: Execute) -> None:
        """Take the fault back; undone afterwards, or dirty and UndoFailed (or StoreError) raised.

        Safe to call again in any state: what is settled is not done twice. What was recorded and
        is not in the journal any more (somebody removed it) is undone from memory.
        """
        if self._state is InjectionState.UNDONE:
            return
        # Dirty first: whatever raises below, until the journal says otherwise it may still be on.
        self._state = InjectionState.DIRTY
        settle(self._journal, self.undos, execute)
        state = self._journal.read()
        left = {undo.id for undo in state.pending} & {undo.id for undo in self.undos}
        failures: list[tuple[str, Exception]] = [
            (undo_id, RefusedError("still pending")) for undo_id in sorted(left)
        ]
        known = {undo.id for undo in state.undos}
        for undo in reversed([undo for undo in self._recorded if undo.id not in known]):
            try:
                execute(undo)
            except QuorateError as error:
                failures.append((undo.id, error))
        if failures:
            raise UndoFailed(failures, journal=self._journal.path)
        self._state = InjectionState.UNDONE
