"""What the parts of the judge share: the run, its phases, and each series judged only once."""

from __future__ import annotations

from dataclasses import dataclass, field

from quorate.harness.judge.intervals import Classified, Counts, classify, counts
from quorate.harness.judge.phases import Phase, phases
from quorate.harness.model.experiment import Experiment
from quorate.harness.model.timeline import CONTROL_PROBE, Timeline

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

    @classmethod
    def of(cls, experiment: Experiment, timeline: Timeline) -> Evidence:
        """The evidence that a timeline holds for an experiment."""
        return cls(experiment, timeline, phases(timeline))

    @property
    def refused(self) -> bool:
        """Nothing was injected because the run was stopped before: it answers nothing."""
        closed = self.timeline.last("run_closed")
        return closed is not None and closed.data.get("reason") == "refused"

    def period_s(self, probe: str, /) -> float:
        """Time between two samples of ``probe``, seconds."""
        if probe == CONTROL_PROBE:
            return 1.0 / CONTROL_RATE_HZ
        return self.experiment.probes[probe].period_s

    def classified(self, probe: str, /, *, deadline_s: float) -> Classified:
        """The series of ``probe`` judged at ``deadline_s``; empty where it left no data."""
        key = (probe, deadline_s)
        if key not in self._classified:
            series, period_s = self.timeline.series.get(probe), self.period_s(probe)
            self._classified[key] = (
                Classified(codes=b"", first_due=0.0, period_s=period_s)
                if series is None
                else classify(series, deadline_s=deadline_s, period_s=period_s)
            )
        return self._classified[key]

    def counts(self, probe: str, /, *, deadline_s: float, phase: Phase) -> Counts:
        """Samples of ``probe`` that belong to ``phase``."""
        classified = self.classified(probe, deadline_s=deadline_s)
        return counts(classified, since=phase.reach, until=phase.end)
