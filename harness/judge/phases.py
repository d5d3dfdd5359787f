"""Which stretch of a run is which phase; read from the events, in seconds since the base."""

from __future__ import annotations

from dataclasses import dataclass

from quorate.harness.model.timeline import Event, Timeline


@dataclass(frozen=True)
class Phase:
    """[``start``, ``end``). ``reach``: where the phase before it ended.

    A sample due between ``reach`` and ``start`` belongs to this phase: it may have been under way
    when the fault was injected.
    """

    name: str
    start: float
    end: float
    reach: float


def phases(timeline: Timeline) -> dict[str, Phase]:
    """The phases that took place: baseline, fault, return, and run (all of them together).

    The fault phase of a method that breaks nothing is its watch's window.
    """
    found: dict[str, Phase] = {}
    end = _end(timeline)
    began, ended = timeline.first("baseline_started"), timeline.first("baseline_ended")
    if began is not None:
        until = ended.t if ended is not None else end
        found["baseline"] = Phase("baseline", began.t, until, began.t)
    undo = timeline.first("undo_started")
    fault = _fault_window(timeline, undo=undo, end=end)
    if fault is not None:
        reach = ended.t if ended is not None and ended.t <= fault[0] else fault[0]
        found["fault"] = Phase("fault", *fault, reach=reach)
    if undo is not None:
        last = timeline.last("return_ended")
        until = last.t if last is not None and last.t >= undo.t else end
        found["return"] = Phase("return", undo.t, until, undo.t)
    if found:
        start = min(phase.start for phase in found.values())
        found["run"] = Phase("run", start, max(phase.end for phase in found.values()), start)
    return found


def _fault_window(
    timeline: Timeline, *, undo: Event | None, end: float
) -> tuple[float, float] | None:
    injected = timeline.first("injection_started")
    if injected is not None:
        return injected.t, max(undo.t, injected.t) if undo is not None else end
    watch, watched = timeline.first("watch_started"), timeline.last("watch_ended")
    if watch is None:
        return None
    return watch.t, watched.t if watched is not None and watched.t >= watch.t else end


def _end(timeline: Timeline) -> float:
    stopped = timeline.last("sampling_stopped") or timeline.last("run_closed")
    return stopped.t if stopped is not None else timeline.end
