"""One run: open · baseline · inject · watch · undo · close. The order is design.md's list.

Whatever a step raises, what it put on is taken off before the error leaves it; after that the run
only closes. Nothing here judges: `conclude` asks the judge, and the judge reads the disk.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Literal

from quorate.harness.errors import (
    Interrupted,
    QuorateError,
    RefusedError,
    StoreError,
    UndoFailed,
)
from quorate.harness.faults.catalogue import ARRANGEMENTS, FAULTS
from quorate.harness.judge import judge
from quorate.harness.model.verdict import Verdict
from quorate.harness.run import pace
from quorate.harness.run.aim import Aim
from quorate.harness.run.arranging import Start
from quorate.harness.run.baseline import refuse_bad_baseline, refuse_unsteady
from quorate.harness.run.durations import watched_s, worst_case_s
from quorate.harness.run.forecast import Forecast
from quorate.harness.run.injector import Target
from quorate.harness.run.limits import Placed
from quorate.harness.run.outcome import Outcome, exit_code_of
from quorate.harness.run.reporting import write_report
from quorate.harness.run.request import Request
from quorate.harness.run.upgraded import Versions
from quorate.harness.run.workings import Workings
from quorate.harness.undo.signals import signals_held
from quorate.reports.text import prediction_text

Stage = Literal["opened", "steady", "closed"]


class Run:
    """A live run. Every method is called from the main thread."""

    def __init__(self, request: Request, *, workings: Workings) -> None:
        self.request = request
        self.directory = workings.directory
        self.stage: Stage = "opened"
        self.failure: BaseException | None = None
        self._w = workings
        self._aim = Aim(request, workings=workings)
        self._steps_begun = 0
        self._forecast: Forecast | None = None
        self._steady_since = 0.0
        self._close_problems: list[QuorateError] = []

    # --- before anything is changed

    def look_around(self) -> None:
        """Start following the components; refuse a cluster that is not whole; resolve targets."""
        with self._step():
            self._w.observer.start()
            # While the followers start, which takes them a second.
            self._w.watcher.beside(self._w.demand_rights, what="which rights are there?")
            components = self._w.observer.components
            follows = self.request.follows or self.request.place > 1
            whole = self._w.watcher.until(
                lambda: not components.missing(),
                at_most_s=pace.WHOLE_BETWEEN_S if follows else pace.WHOLE_AT_START_S,
                what="is the cluster whole?",
            )
            if not whole:
                missing = "\n  ".join(components.missing())
                raise RefusedError(f"the cluster is not whole, so nothing is done:\n  {missing}")
            self.directory.write_fingerprint(
                self._w.watcher.beside(self._w.fingerprint, what="what does the cluster run?")
            )
            self._aim.take()
            resolve = partial(self._w.sampling.resolve, self._aim.targeted)
            self._w.watcher.beside(resolve, what="where are probes asked from?")
            claim = partial(self._w.claim, worst_case_s(self.request.experiment))
            if self.request.experiment.upgrade is not None:
                self._w.watcher.beside(self._w.versions.begin, what="which versions run?")
            with signals_held():  # until it is known whether it is ours
                self._w.watcher.beside(claim, what="taking the cluster's Lease")

    def baseline(self) -> None:
        """Arrangements, sampling, and the baseline; RefusedError when it is not good."""
        self._demand("opened")
        with self._step():
            for one in self.request.experiment.given:
                self._w.injector.arrange(
                    ARRANGEMENTS[one.name],
                    holder=self._aim.facts().vip_holder,
                    start=Start(one.arguments, worst_case_s(self.request.experiment)),
                )
                self._w.progress.say(f"arranged: {one}: {ARRANGEMENTS[one.name].summary}")
            if self.request.experiment.faults:
                # Now, since a look at a dozen files would stand between baseline and act.
                read = partial(self._w.forecast, self._aim.targeted)
                self._forecast = self._w.watcher.beside(read, what="reading the cluster's timers")
            with signals_held():
                self._w.watcher.beside(self._w.open_ledger, what="making the ledger's registers")
            self._w.sampling.start()
            self._w.watcher.sampling = self._w.sampling
            self.directory.append_event("sampling_started")
            self._take_baseline()
            self.stage = "steady"

    def _take_baseline(self) -> None:
        self._steady_since = start = self._baseline_window()
        self.directory.append_event("baseline_started", t=start)
        self.directory.append_event("baseline_ended")
        components, watcher = self._w.observer.components, self._w.watcher
        watcher.until(lambda: False, at_most_s=pace.IN_FLIGHT_S, what="answers under way")
        if self.request.experiment.given:
            without = ", ".join(components.missing()) or "nothing"
            text = f"arranged, so not demanded on the return leg: {without}"
            self.directory.append_event("data_note", text=text)
            components.demand(components.good())
        self._check_baseline()

    def _baseline_window(self) -> float:
        """Sample for as long as declared, and until there are samples enough; the window's start.

        Begun anew where the sampler itself could not tell something and nothing was bad: that
        says nothing about the cluster, and one such sample would leave "none was bad" open.
        """
        declared_s = self.request.experiment.baseline_s + self._phase_s()
        sampling = self._w.sampling
        for left in reversed(range(pace.BASELINE_TRIES)):
            start = self.directory.now()
            self._w.watcher.until(lambda: False, at_most_s=declared_s, what="baseline")
            self._w.watcher.until(
                partial(sampling.has_enough, since=start),
                at_most_s=pace.BASELINE_LONGER_S,
                what="more baseline",
            )
            seen = sampling.counts(since=start)
            if seen.bad or not seen.unknown or not left:
                break
            text = f"baseline begun anew: the sampler could not tell {seen.unknown} sample(s)"
            self.directory.append_event("data_note", text=text)
            self._w.progress.say(text)
        return start

    def _phase_s(self) -> float:
        """How much longer the baseline lasts, so that acts of a series come at any phase."""
        if not self.request.place:
            return 0.0
        drawn_s = random.Random(f"{self.request.seed}:phase").uniform(0.0, pace.PHASE_S)
        self.directory.append_event(
            "injection_phase", drawn_s=round(drawn_s, 3), of_s=pace.PHASE_S, run=self.request.place
        )
        return drawn_s

    def _check_baseline(self) -> None:
        refuse_bad_baseline(so_far := judge(self.request.experiment, self.directory.timeline()))
        self._w.progress.say(f"baseline: {so_far.gates[0].reason}")

    # --- the method

    def inject(
        self, name: str, arguments: Mapping[str, object], *, watching: bool = True
    ) -> dict[str, object]:
        """Put a fault on, prove that it bites, watch. Returns what the journal shows.

        ``watching=False``: whoever asked goes on at once, and watches, or not (`aside`).
        """
        self._demand("steady")
        self._steps_begun += 1
        fault = FAULTS[name]
        with self._step():
            self._w.guard.look()
        self._w.guard.refuse_more()
        with self._step():
            nodes = self._aim.nodes(word := str(arguments["target"]))
            lease = partial(self._w.demand_lease, bool(self._w.injector.faults_on))
            self._w.watcher.beside(lease, what="is the cluster still ours?")
            self._w.sampling.demand_not_hit(nodes)
            self._aim.demand_within_limits(fault, nodes=nodes, arguments=arguments)
            self._w.progress.say(f"fault: {name} on {', '.join(nodes)} ({word})")
            if not self._w.injector.faults_put_on:  # what is judged begins with the first one
                self._foretell(Placed(fault, nodes, arguments))
                refuse_unsteady(self._w.sampling.counts(since=self._steady_since))
            target = Target(
                nodes,
                arguments,
                watched_s(self.request.experiment, since=self._steps_begun - 1),
                partial(self._aim.demand_still, word, nodes=nodes),
            )
            evidence = self._w.injector.put_on(
                fault, target=target, facts=lambda: self._aim.facts().to_dict()
            )
            self._w.progress.say(f"it bites: {evidence}")
            reached = watching and self._watch_fault(
                str(arguments["watch_until"]), at_most_s=float(str(arguments["at_most_s"]))
            )
        return {"nodes": list(nodes), "proof": evidence, "reached": reached}

    def _foretell(self, placed: Placed) -> None:
        """Write down what the live configuration says that this will cost."""
        assert self._forecast is not None
        predictions = self._forecast.of(
            self.request.experiment,
            placed=placed,
            facts=self._aim.facts(),
            backups=self._w.observer.components.nodes_good("keepalived"),
        )
        for one in predictions:
            self.directory.append_event("prediction", **one.as_predicted())
            if one.component is None and one.low is not None:
                self._w.progress.say(f"predicted: {prediction_text(one)}")

    def watch_until(self, until: str, *, at_most_s: float) -> bool:
        """Look until clients have ``recovered`` or the cluster is ``whole``; whether they have."""
        self._demand("steady")
        with self._step():
            return self._watch_fault(until, at_most_s=at_most_s)

    def _watch_fault(self, until: str, *, at_most_s: float) -> bool:
        reached = self._watch(until, at_most_s=at_most_s, at_least_s=pace.RECOVERED_AFTER_S)
        self._w.guard.heed()
        return reached

    def undo(self, *, watch_until: str, at_most_s: float) -> dict[str, object]:
        """Take every fault off and watch the return leg."""
        self._demand("steady")
        self._steps_begun += 1
        with self._step():
            self._w.progress.say("undo")
            self._w.injector.faults_off()
            reached = self._watch(watch_until, at_most_s=at_most_s)
            self.directory.append_event("return_ended", reached=reached)
            self._w.progress.say(f"{watch_until}: {'yes' if reached else 'not in time'}")
        return {"reached": reached, "missing": list(self._w.observer.components.missing())}

    def watch(
        self, *, for_s: float, over: Callable[[], bool] = lambda: False, what: str = "watching"
    ) -> dict[str, object]:
        """Just look, for so many seconds at most, or until somebody's own work is ``over``."""
        self._demand("steady")
        self._steps_begun += 1
        with self._step():
            self.directory.append_event("watch_started", until="time")
            self._w.watcher.until(over, at_most_s=for_s, what=what)
            reached = not self._w.watcher.tripped
            self.directory.append_event("watch_ended", until="time", reached=reached)
            self._w.guard.heed()
        return {"watched_s": for_s}

    @property
    def versions(self) -> Versions:
        """What kubelets report, for who awaits an upgrade."""
        return self._w.versions

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        """Meanwhile somebody else's code is the method: samples and events are taken, and nobody
        looks at the guard unless that code asks to watch."""
        self._demand("steady")
        self.directory.append_event("watch_started", until="block")
        try:
            yield
        finally:
            self.directory.append_event("watch_ended", until="block", reached=True)

    def _watch(self, until: str, *, at_most_s: float, at_least_s: float = 0.0) -> bool:
        """Watch until clients have recovered or the cluster is whole, and it stays so."""
        watcher = self._w.watcher
        self.directory.append_event("watch_started", until=until)
        done = watcher.whole() if until == "whole" else watcher.recovered(at_least_s=at_least_s)
        reached = watcher.until(done, at_most_s=at_most_s, what=f"until {until}")
        if until == "whole":
            reached = not self._w.observer.components.missing()
        self.directory.append_event("watch_ended", until=until, reached=reached)
        return reached

    # --- the end

    def finish(self) -> Verdict:
        """Close in order and judge."""
        self._demand("steady", even_if_failed=True)
        self.close()
        return self.conclude()[1]

    def close(self) -> None:
        """Undo what is on, stop sampling, write the last event. Safe to call twice."""
        if self.stage == "closed":
            return
        self.stage = "closed"
        with signals_held(), contextlib.ExitStack() as stack:  # the last one pushed comes first
            stack.callback(self._w.release)
            for step in (
                self._w.injector.disarm,
                self._write_closed,
                self._w.injector.let_go,
                self._w.observer.stop,
                self._w.injector.arrangements_off,
                self._read_back,
                self._stop_sampling,
                self._w.injector.faults_off,
            ):
                stack.callback(self._attempt, step)

    def conclude(self) -> tuple[Outcome, Verdict]:
        """Judge the closed run from disk, write verdict.json and report.txt.

        StoreError where it cannot be read, unless an undo failed: that outranks all.
        """
        try:
            verdict = judge(self.request.experiment, self.directory.timeline())
        except StoreError as error:
            worst = self._worst()
            if getattr(worst, "exit_code", 3) == UndoFailed.exit_code:
                raise worst or error from error
            raise
        self._attempt(partial(self.directory.write_verdict, verdict))
        self._attempt(partial(write_report, self.directory, verdict))
        failure = self._worst()
        code = exit_code_of(verdict.verdict, failure=failure, dirty=self._w.injector.is_dirty)
        outcome = Outcome(
            exit_code=code,
            verdict=verdict.verdict,
            directory=self.directory.path,
            reason=str(failure) if failure else "",
            error=type(failure).__name__ if failure else "",
        )
        return outcome, verdict

    def interrupted(self, why: str) -> None:
        """Note that a signal or the engine ended the run before its verdict was asked."""
        self.failure = self.failure or Interrupted(why)

    def _stop_sampling(self) -> None:
        self._w.watcher.sampling = None
        last_tick = self.directory.now()  # what comes now is answers; the judge misses no ticks
        if self._w.watcher.beside(self._w.sampling.stop, what="the last answers"):
            self.directory.append_event("sampling_stopped", t=last_tick)

    def _read_back(self) -> None:
        self._w.watcher.beside(self._w.ledger.read_back, what="reading the ledger back")

    def _write_closed(self) -> None:
        reason = "completed"
        failure = self._worst()
        if isinstance(failure, Interrupted):
            reason = "interrupted"
        elif isinstance(failure, RefusedError) and not self._w.injector.faults_put_on:
            reason = "refused"
        elif failure is not None:
            reason = "failed"
        self.directory.append_event("run_closed", reason=reason, text=str(failure or ""))

    def _attempt(self, step: Callable[[], None]) -> None:
        try:
            step()
        except QuorateError as error:  # every other step of closing is taken all the same
            self._close_problems.append(error)

    def _worst(self) -> BaseException | None:
        """What went wrong: an undo that failed before all else, then what ended the run."""
        problems = [*([self.failure] if self.failure else []), *self._close_problems]
        return max(problems, key=lambda one: getattr(one, "exit_code", 3) == 4, default=None)

    # --- small things

    @contextlib.contextmanager
    def _step(self) -> Iterator[None]:
        """A step that fails ends the run: what is on is taken off before the error goes on."""
        done = False
        try:
            yield
            done = True
        except QuorateError as error:
            self.failure = self.failure or error
            raise
        finally:
            if not done:
                self.failure = self.failure or Interrupted("the run was ended by a signal")
                self._attempt(self._w.guard.heed)
                self._attempt(self._w.injector.faults_off)

    def _demand(self, stage: Stage, *, even_if_failed: bool = False) -> None:
        if self.failure is not None and not even_if_failed:
            raise RefusedError(f"the run has ended early: {self.failure}")
        if self.stage != stage:
            raise RefusedError(
                f"asked out of order: the run is {self.stage}, not {stage}; an experiment's "
                "hypothesis must be asked before and after its method"
            )
