"""abort_when: what a fault may cost at most; beyond it everything comes off, no more goes on.

The watcher looks at every tick from the first act to the undo; it cannot stop what is under way
(an act is waited for). So `heed` is called after all that ticks while a fault is on.
"""

from __future__ import annotations

from quorate.harness.errors import RefusedError
from quorate.harness.model.objectives import LongestOutage
from quorate.harness.run.injector import Injector
from quorate.harness.run.progress import Progress
from quorate.harness.run.watcher import Watcher
from quorate.harness.store.run_directory import RunDirectory


class Guard:
    """What is done once the watcher says that it has tripped."""

    def __init__(
        self,
        limit: LongestOutage | None,
        *,
        directory: RunDirectory,
        injector: Injector,
        watcher: Watcher,
        progress: Progress,
    ) -> None:
        self.has_tripped = False
        self._limit = limit
        self._directory = directory
        self._injector = injector
        self._watcher = watcher
        self._progress = progress

    def heed(self) -> None:
        """Where it has tripped: take every fault off, at once."""
        if not self._watcher.tripped or self._limit is None:
            return
        self._watcher.tripped, self.has_tripped = False, True
        self._progress.say("the guard tripped (abort_when): undoing at once")
        try:
            limit = self._limit.model_dump(mode="json")
            self._directory.append_event("guard_tripped", objective=limit)
        finally:
            self._injector.faults_off()

    def look(self) -> None:
        """Before another fault: a step that is not ours may have taken its time, unwatched."""
        if self._watcher.guarded:
            self._watcher.tick()
            self.heed()

    def refuse_more(self) -> None:
        """RefusedError once it has tripped."""
        if self.has_tripped:
            raise RefusedError("the guard has tripped (abort_when): nothing more is broken")
