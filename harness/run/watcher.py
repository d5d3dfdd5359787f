"""The run's own loop: whatever it waits for, facts are taken, the guard looks, a person is told."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

from quorate.harness.drivers.clock import Clock
from quorate.harness.errors import ProbeError, QuorateError, StoreError
from quorate.harness.model.experiment import Experiment
from quorate.harness.model.objectives import LongestOutage, deadline_of, probes_of
from quorate.harness.run import pace
from quorate.harness.run.observer import Observer
from quorate.harness.run.progress import Progress
from quorate.harness.run.sampling import Sampling

T = TypeVar("T")


class Watcher:
    """One `tick` every TICK_S, in the main thread."""

    def __init__(
        self,
        experiment: Experiment,
        *,
        observer: Observer,
        clock: Clock,
        progress: Progress,
    ) -> None:
        self.sampling: Sampling | None = None
        self.broken = ""
        self.guarded = False
        """From the first act until the undo begins."""
        self.tripped = False
        self._experiment = experiment
        self._observer = observer
        self.clock = clock
        self._progress = progress

    def tick(self, what: str = "") -> None:
        """One look. ProbeError when the sampler has died: without samples nothing is judged."""
        self._observer.poll()
        if self.sampling is not None:
            if not self.sampling.alive():
                raise ProbeError("the sampler has ended by itself; see sampler.log")
            self.sampling.view.poll()
            if self.guarded and not self.tripped:
                self.tripped = self._over_guard()
        if what:
            self._progress.status(" · ".join(filter(None, (what, self.broken, self._outages()))))

    def until(self, done: Callable[[], bool], *, at_most_s: float, what: str) -> bool:
        """Tick until `done`, the deadline, or the guard; whether it was done."""
        start = self.clock.now()
        while True:
            waited = self.clock.now() - start
            self.tick(f"{what} ({waited:.0f} of at most {at_most_s:g} s)")
            if done():
                return True
            if waited >= at_most_s or self.tripped:
                return False
            self.clock.sleep(pace.TICK_S)

    def beside(self, work: Callable[[], T], *, what: str) -> T:
        """Do `work` in a thread and tick meanwhile; its result, or what it raised.

        If the ticking is interrupted, the thread is left behind: give it only work that ends by
        itself, and hold the signals while it changes something. An error of the ticking is raised
        when the work is done: left alone, an act would go on while its undo runs.
        """
        executor = ThreadPoolExecutor(1, thread_name_prefix="act")
        future = executor.submit(work)
        executor.shutdown(wait=False)
        problem: QuorateError | None = None
        while not wait([future], pace.TICK_S).done:
            try:
                self.tick(what)
            except QuorateError as error:
                problem = problem or error
                if isinstance(error, ProbeError):
                    self.sampling = None
            except OSError as error:  # of what is read at each tick; no library's
                problem = problem or StoreError(f"{what}: {error}")
        result = future.result()
        if problem is not None:
            raise problem
        return result

    def steady(self, seconds: float) -> bool:
        """Whether every judged probe has been good for so long without a break; one that nobody
        asks any more, since its vantage is lost, is not waited for: the judge says so."""
        sampling = self.sampling
        if sampling is None:
            return True
        return all(
            sampling.view.good_for_s(probe, deadline_s=deadline_s) >= seconds
            for probe, deadline_s in self._judged()
            if not sampling.lost(probe)
        )

    def recovered(self, *, at_least_s: float) -> Callable[[], bool]:
        """For `until`: clients are served again, steadily, and not sooner than that from now."""
        start = self.clock.now()
        return lambda: self.clock.now() - start >= at_least_s and self.steady(pace.STEADY_S)

    def whole(self) -> Callable[[], bool]:
        """For `until`: the cluster is whole, and it and its clients have been well for a while."""
        since: list[float] = []

        def whole() -> bool:
            if self._observer.components.missing():
                since.clear()
            elif not since:
                since.append(self.clock.now())
            held = bool(since) and self.clock.now() - since[0] >= pace.WHOLE_STEADY_S
            return held and self.steady(pace.WHOLE_STEADY_S)

        return whole

    def _judged(self) -> list[tuple[str, float]]:
        return [
            (probe, deadline_s)
            for objective in self._experiment.objectives
            if (deadline_s := deadline_of(objective)) is not None
            for probe in probes_of(objective)
        ]

    def _over_guard(self) -> bool:
        guard = self._experiment.abort_when
        assert self.sampling is not None
        return guard is not None and self._outage(guard) > guard.at_most

    def _outage(self, guard: LongestOutage) -> float:
        assert self.sampling is not None
        return self.sampling.view.current_outage_s(guard.of, deadline_s=guard.deadline_s)

    def _outages(self) -> str:
        if self.sampling is None:
            return ""
        out = []
        for probe in self._experiment.probes:
            if why := self.sampling.lost(probe):
                out.append(f"{probe} lost: {why}")
                continue
            deadline_s = self._experiment.deadlines_s(probe)[0]
            outage_s = self.sampling.view.current_outage_s(probe, deadline_s=deadline_s)
            if outage_s > 0:
                out.append(f"{probe} out for {outage_s:.1f} s")
        return ", ".join(out) or "clients are served"
