"""What the parts of the judge share: the run, its phases, and each series judged only once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from quorate.harness.judge.intervals import Classified, Counts, classify, counts
from quorate.harness.judge.phases import Phase, phases
from quorate.harness.judge.seen import Seen
from quorate.harness.model.experiment import Experiment
from quorate.harness.model.timeline import BESIDE_HARNESS, Timeline, control_of

CONTROL_RATE_HZ = 10.0
"""Rate of the sampler's probe of itself (sampling.sampler uses the same)."""

CONTROL_DEADLINE_S = 0.25
"""An answer over the loopback, from the same process, that takes longer says: we are ill."""


@dataclass(frozen=True)
class Evidence:
    """A run to be judged."""

    experiment: Experiment
    timeline: Timeline
    phases: dict[str, Phase]
    _classified: dict[tuple[str, float], Classified] = field(default_factory=dict)
    _seen: dict[tuple[Classified, Phase], Seen] = field(default_factory=dict)

    @classmethod
    def of(cls, experiment: Experiment, timeline: Timeline) -> Evidence:
        """The evidence that a timeline holds for an experiment."""
        return cls(experiment, timeline, phases(timeline))

    @property
    def unbegun(self) -> bool:
        """It ended before any of the faults that it declares: it answers nothing."""
        declared, injected = self.experiment.faults, self.timeline.first("injection_started")
        return self.timeline.last("run_closed") is not None and bool(declared) and injected is None

    @property
    def cut_short(self) -> str:
        """Why the record ends before the method did; empty where it does not."""
        closed = self.timeline.last("run_closed")
        if closed is None:
            return "the run was never closed: its process died, or it is still under way"
        if closed.data.get("reason") != "completed":
            return f"the run ended early: {closed.data.get('reason', 'for no reason given')}"
        if self.timeline.first("sampling_stopped") is None:
            return "sampling was never stopped in order"
        if self.timeline.sampler.get("complete") is False:
            said = self.timeline.sampler.get("problem") or "it does not say why"
            return f"the sampler did not end in order: {said}"
        return ""

    def period_s(self, probe: str, /) -> float:
        """Time between two samples of ``probe``, seconds."""
        if probe not in self.experiment.probes:
            return 1.0 / CONTROL_RATE_HZ
        return self.experiment.probes[probe].period_s

    @property
    def controls(self) -> dict[str, str]:
        """Vantage → its sampler's probe of itself: beside the harness, and wherever a judged probe
        is asked from."""
        probes = self.experiment.probes
        used = [probes[name].vantage for name in self.experiment.judged_probes]
        return {word: control_of(word) for word in dict.fromkeys([BESIDE_HARNESS, *used])}

    @property
    def gated(self) -> list[str]:
        """The probes that the run stands or falls with: all that are asked beside the harness, and
        of the others those that something with a bound is about."""
        judged = self.experiment.judged_probes
        return [
            name
            for name, spec in self.experiment.probes.items()
            if spec.vantage == BESIDE_HARNESS or name in judged
        ]

    def clock_s(self, probe: str, /) -> float:
        """How far the times of a probe's samples may be from the run's own, seconds: 0.0 beside
        the harness, elsewhere by what was measured of that node's clock."""
        return self.clock_of(self.experiment.probes[probe].vantage)

    def clock_of(self, vantage: str, /) -> float:
        """The same of a vantage."""
        told = self.clocks.get(vantage, {}).get("uncertainty_s", 0.0)
        return float(told) if isinstance(told, int | float) else 0.0

    @property
    def clocks(self) -> dict[str, Mapping[str, object]]:
        """Vantage → what was told last of its node and its clock."""
        told = self.timeline.of_kind("vantage_clock")
        return {str(event.data.get("vantage")): event.data for event in told}

    def classified(self, probe: str, /, *, deadline_s: float) -> Classified:
        """The series of ``probe`` judged at ``deadline_s``, over the whole run.

        A tick that left no sample, at the edges too, is there as an unknown one.
        """
        key = (probe, deadline_s)
        if key not in self._classified:
            self._classified[key] = self._judged(probe, deadline_s=deadline_s)
        return self._classified[key]

    def _judged(self, probe: str, *, deadline_s: float) -> Classified:
        series, period_s = self.timeline.series.get(probe), self.period_s(probe)
        found = Classified(codes=b"", first_due=0.0, period_s=period_s)
        if series is not None:
            found = classify(series, deadline_s=deadline_s, period_s=period_s)
        run = self.phases.get("run")
        return found if run is None else found.covering(run.start, run.end)

    def codes(self, probe: str, /, *, deadline_s: float, phase: Phase) -> bytes:
        """The codes of the ticks of ``probe`` that belong to ``phase``."""
        classified = self.classified(probe, deadline_s=deadline_s)
        return classified.between(phase.reach, phase.end)

    def seen(self, probe: str, /, *, deadline_s: float, phase: Phase) -> Seen:
        """The disruptions of ``probe`` in ``phase``; worked out once where deadlines agree."""
        classified = self.classified(probe, deadline_s=deadline_s)
        if (classified, phase) not in self._seen:
            self._seen[classified, phase] = Seen.of(classified, phase=phase)
        return self._seen[classified, phase]

    def counts(self, probe: str, /, *, deadline_s: float, phase: Phase) -> Counts:
        """Samples of ``probe`` that belong to ``phase``."""
        return counts(self.codes(probe, deadline_s=deadline_s, phase=phase))
