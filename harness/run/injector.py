"""Putting faults and arrangements on and taking them off, with the journal always ahead."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.clock import wait_until
from quorate.harness.errors import (
    DriverError,
    QuorateError,
    RefusedError,
    StoreError,
    TransportError,
)
from quorate.harness.faults.contract import Act, Arrangement, Fault, Plan, Proof, mark_of
from quorate.harness.model.undo import Undo
from quorate.harness.run import pace
from quorate.harness.run.arranging import AS_IT_IS, Start
from quorate.harness.run.limits import Placed
from quorate.harness.run.switches import Switch, check_means, gone_off, switches_for
from quorate.harness.run.watcher import Watcher
from quorate.harness.store.run_directory import RunDirectory
from quorate.harness.transport import Transport
from quorate.harness.undo.execute import execute_with
from quorate.harness.undo.guardian import Guardian
from quorate.harness.undo.injection import Injection, InjectionState
from quorate.harness.undo.journal import JOURNAL_NAME, UndoJournal
from quorate.harness.undo.pending import PendingRuns
from quorate.harness.undo.signals import signals_held

VOID_ACT = ("true",)


@dataclass(frozen=True)
class Target:
    """What a fault is to be put on, and for how many seconds it may be watched before its undo."""

    nodes: Sequence[str]
    arguments: Mapping[str, object] = field(default_factory=dict)
    watched_s: float = 600.0
    still_so: Callable[[], None] = lambda: None
    """Asked when all is ready for the act; RefusedError where other nodes are meant by now."""


@dataclass
class On:
    """One thing that was put on: its life, and how to see whether it was really taken off."""

    injection: Injection
    title: str
    off: Callable[[], Proof] | None
    """None for an arrangement, whose undo is confirmed and needs no further proof."""
    disarms: Sequence[Undo] = ()
    """Of the switches that must not have gone off before the undo."""
    placed: Placed | None = None

    @property
    def is_fault(self) -> bool:
        return self.off is not None

    @property
    def may_be_on(self) -> bool:
        return self.injection.state in (InjectionState.ACTIVE, InjectionState.DIRTY)


@dataclass(frozen=True)
class Safety:
    """What takes things off when we die: the registry of runs and the guardian."""

    registry: PendingRuns
    guardian: Guardian


class Injector:
    """All injections of one run, in the order in which they were put on."""

    def __init__(
        self,
        directory: RunDirectory,
        *,
        drivers: Drivers,
        acting: Transport,
        watcher: Watcher,
        safety: Safety,
    ) -> None:
        self.voids_acts = False
        self._directory = directory
        self._drivers = drivers
        self._acting = acting
        self._watcher = watcher
        self._safety = safety
        self._journal = UndoJournal(directory.path / JOURNAL_NAME)
        self._on: list[On] = []
        self._held: list[Injection] = []
        self._armed = False
        self._unwritten: StoreError | None = None

    def arrange(
        self, arrangement: Arrangement, *, holder: str | None, start: Start = AS_IT_IS
    ) -> None:
        """Put a worse state on, see that it is there. RefusedError when it is not."""
        self.voids_acts = self.voids_acts or arrangement.voids_acts
        mark = mark_of(self._directory.path.name, arrangement.name)
        plan = start.plan(arrangement, drivers=self._drivers, mark=mark, holder=holder)
        injection, switches = self._planned(arrangement.undos(self._drivers, plan=plan), plan=plan)
        self._on.append(On(injection, arrangement.name, off=None))
        acts = arrangement.acts(self._drivers, plan=plan)

        def act() -> None:
            self._play([*(switch.arm for switch in switches), *acts])

        self._inject(injection, act, what=f"arranging {arrangement.name}")
        proof = self._look(
            lambda: arrangement.proof(self._drivers, plan=plan),
            timeout_s=arrangement.proof_timeout_s,
            what="arranged?",
        )
        if not proof.ok:
            raise RefusedError(f"arrangement {arrangement.name}: {proof.evidence}")
        self._directory.append_event(
            "arrangement_applied",
            name=arrangement.name,
            evidence=proof.evidence,
            commands=[one.to_dict() for one in acts],
        )

    def put_on(
        self, fault: Fault, *, target: Target, facts: Callable[[], Mapping[str, str | None]]
    ) -> str:
        """One fault: undos journalled, switches armed, act, proof. Returns the proof's evidence.

        RefusedError before anything was changed, InjectionFailed, InjectionUnproved; whatever is
        raised, the caller takes off what may be on.
        """
        before = self._watcher.beside(
            partial(fault.prepare, self._drivers, nodes=target.nodes, arguments=target.arguments),
            what=f"may {fault.name} be put on?",
        )
        name = f"{fault.name}-{1 + sum(one.is_fault for one in self._on)}"
        plan = Plan(
            name,
            tuple(target.nodes),
            arguments=target.arguments,
            before=before,
            mark=mark_of(self._directory.path.name, name),
            deadline_s=target.watched_s + fault.switch_margin_s,
            vip_holder=facts().get("vip_holder"),
        )
        injection, switches = self._planned(fault.undos(self._drivers, plan=plan), plan=plan)
        if self._watcher.tripped:  # by a fault that is on already
            raise RefusedError(f"the guard has tripped (abort_when): no {fault.name} is put on")
        title = f"{fault.name} on {', '.join(target.nodes)}"
        off = partial(fault.undone, self._drivers, plan=plan)
        disarms = () if fault.ended_by_switch else [switch.disarm for switch in switches]
        placed = Placed(fault, plan.nodes, plan.arguments)
        self._on.append(On(injection, title, off=off, disarms=disarms, placed=placed))
        acts = fault.acts(self._drivers, plan=plan)
        if self.voids_acts:
            acts = [replace(one, argv=VOID_ACT) for one in acts]

        def act() -> None:
            self._play([switch.arm for switch in switches])
            target.still_so()
            self._directory.append_event(
                "injection_started",
                injection=plan.injection,
                fault=fault.name,
                nodes=list(plan.nodes),
                facts=dict(facts()),
                before=dict(before),
                mark=plan.mark,
                commands=[one.to_dict() for one in acts],
            )
            self._play(acts)
            self._directory.append_event("injection_acted", injection=plan.injection)

        self._watcher.guarded = True
        self._inject(injection, act, what=f"putting on {title}")
        self._watcher.broken = title
        return self._prove(injection, fault, plan=plan)

    def hold(self, undo: Undo, take: Callable[[], None]) -> None:
        """Take something that breaks nothing, once its way back is journalled; held until the end.

        What `take` raises goes through; the way back is gone all the same in the end.
        """
        held = Injection(undo.injection, undos=[undo], journal=self._journal)
        self._held.append(held)
        with signals_held():
            self._arm()
            held.inject(lambda: None)
            take()

    def let_go(self) -> None:
        """Take back what is held, unless a fault or an arrangement may still be on. Each is tried,
        whatever became of the others (a node may be gone); UndoFailed at the end."""
        if any(one.may_be_on for one in self._on):
            return
        failure: QuorateError | None = None
        with signals_held():
            while self._held:
                work = partial(self._held.pop().undo, execute_with(self._acting))
                try:
                    self._watcher.beside(work, what="letting the cluster go")
                except QuorateError as error:
                    failure = failure or error
        if failure is not None:
            raise failure

    def faults_off(self) -> None:
        """Take every fault off that may be on, newest first; UndoFailed at the end."""
        self._watcher.guarded = False  # all that it could do is done now
        self._off([one for one in reversed(self._on) if one.is_fault and one.may_be_on])

    def arrangements_off(self) -> None:
        """Take every arrangement off, newest first; UndoFailed at the end."""
        self._off([one for one in reversed(self._on) if not one.is_fault and one.may_be_on])

    @property
    def faults_on(self) -> tuple[Placed, ...]:
        """The faults that may be on now."""
        return tuple(one.placed for one in self._on if one.placed and one.may_be_on)

    @property
    def faults_put_on(self) -> bool:
        """Whether a fault was ever put on, or may have been."""
        return any(
            one.is_fault and one.injection.state is not InjectionState.PLANNED for one in self._on
        )

    @property
    def is_dirty(self) -> bool:
        """Whether something of ours may still be on the cluster; so where nobody can tell."""
        try:
            clean = self._journal.read().clean
        except StoreError:
            return True
        return not clean or any(one.injection.state is InjectionState.DIRTY for one in self._on)

    def disarm(self) -> None:
        """Let the guardian go and take the run off the registry, or leave the rest to them."""
        if not self._armed:
            return
        self._armed = False
        if self.is_dirty:
            self._safety.guardian.hand_over()
            return
        self._safety.guardian.release()
        self._safety.registry.remove(self._directory.path)

    def _planned(self, undos: Sequence[Undo], *, plan: Plan) -> tuple[Injection, list[Switch]]:
        """An injection with its switches, which are journalled first and so disarmed last.

        RefusedError where a node cannot hold one.
        """
        switches = switches_for(undos, plan=plan)
        self._watcher.beside(
            partial(check_means, switches, transport=self._drivers.transport),
            what="can a switch be armed?",
        )
        ways_back = [*(switch.disarm for switch in switches), *undos]
        return Injection(plan.injection, undos=ways_back, journal=self._journal), switches

    def _arm(self) -> None:
        """Before the first entry of the journal: somebody else must be able to settle it."""
        if not self._armed:
            self._safety.registry.add(self._directory.path)
            self._armed = True
            self._safety.guardian.start(self._directory.path)

    def _inject(self, injection: Injection, act: Callable[[], None], *, what: str) -> None:
        with signals_held():  # an act is waited for, not overtaken by its undo
            if injection.undos:
                self._arm()
            self._watcher.beside(partial(injection.inject, act), what=what)

    def _play(self, acts: Sequence[Act]) -> None:
        for act in acts:
            self._acting.check(act.node, act.argv, timeout_s=act.timeout_s)

    def _prove(self, injection: Injection, fault: Fault, *, plan: Plan) -> str:
        proof = Proof(False, "nothing was seen yet")

        def prove() -> tuple[bool, str]:
            nonlocal proof
            proof = self._look(
                lambda: fault.proof(self._drivers, plan=plan),
                timeout_s=fault.proof_timeout_s,
                what=f"does {fault.name} bite?",
            )
            return proof.ok, proof.evidence

        try:
            return injection.prove(prove)
        finally:
            self._directory.append_event(
                "injection_proved",
                injection=plan.injection,
                ok=proof.ok,
                evidence=proof.evidence,
                **proof.facts,
            )

    def _look(
        self, look: Callable[[], Proof], *, timeout_s: float, what: str, heeding: bool = True
    ) -> Proof:
        """Ask until the proof is ok, the time is up or (``heeding``) the guard trips; the last
        answer."""
        seen = Proof(False, "nothing was seen yet")

        def is_so() -> bool:
            nonlocal seen
            try:
                seen = self._watcher.beside(look, what=what)
            except (DriverError, TransportError) as error:
                seen = Proof(False, str(error))
            return seen.ok or (heeding and self._watcher.tripped)

        wait_until(self._drivers.clock, is_so, timeout_s=timeout_s, period_s=pace.PROOF_PERIOD_S)
        return seen

    def _off(self, things: Sequence[On]) -> None:
        failure: QuorateError | None = None
        self._unwritten = None
        for one in things:
            try:
                self._take_off(one)
            except QuorateError as error:  # the others are taken off all the same
                failure = failure or error
        if not any(one.is_fault and one.may_be_on for one in self._on):
            self._watcher.broken = ""
        failure = failure or self._unwritten
        if failure is not None:
            raise failure

    def _note(self, kind: str, /, **data: object) -> None:
        """An event of an undo. One that cannot be written must not keep the undo from being tried:
        `_off` raises it when all is done."""
        try:
            self._directory.append_event(kind, **data)
        except StoreError as error:
            self._unwritten = self._unwritten or error

    def _take_off(self, one: On) -> None:
        name = one.injection.name
        if one.is_fault:
            self._note("undo_started", injection=name)
        proof = Proof(False, "the undo failed, or was not seen to its end")
        alone: list[str] = []

        def undo() -> None:
            if one.injection.proved:
                alone.extend(gone_off(one.disarms, transport=self._drivers.transport))
            # Where the run directory was removed, nothing can be marked as in flight there.
            there = self._directory.path.is_dir()
            one.injection.undo(execute_with(self._acting if there else self._drivers.transport))

        try:
            with signals_held():
                self._watcher.beside(undo, what=f"undoing {one.title}")
                proof = Proof(one.off is None, "the undo was confirmed; no more was looked at")
            proof = self._off_proof(one)
        finally:
            if alone:
                proof = self._was_off(one, nodes=alone, proof=proof)
            if one.is_fault:
                self._note("undo_done", injection=name, ok=proof.ok, evidence=proof.evidence)
            else:
                self._note("arrangement_undone", name=name, ok=proof.ok)

    def _was_off(self, one: On, *, nodes: Sequence[str], proof: Proof) -> Proof:
        """What was watched was not the fault, for some part of the time: nothing to judge by."""
        self._note("switch_went_off", injection=one.injection.name, nodes=list(nodes))
        return Proof(
            False,
            f"the dead man's switch on {', '.join(nodes)} was not armed any more when the undo "
            f"began (gone off, or lost in a reboot); {proof.evidence}",
        )

    def _off_proof(self, one: On) -> Proof:
        """Confirmed is undone; a fault that was proved to bite must also show that it is over."""
        if one.off is None or not one.injection.proved:
            return Proof(True, "the undo was confirmed")
        what = f"is {one.title} off?"
        return self._look(one.off, timeout_s=pace.OFF_PROOF_S, what=what, heeding=False)
