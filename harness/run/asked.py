"""What a suite asks now: its experiments as they are, with the bounds that hold."""

from __future__ import annotations

from quorate.harness.model.clearance import Asked, content_of
from quorate.harness.run import live, play
from quorate.harness.run.suite import Suite, refuse_upgrades
from quorate.harness.store.bounds_file import rebound, refuse_unused


def asked_of(suite: Suite, *, options: live.Options) -> tuple[Asked, ...]:
    """Each experiment of the suite, in its order. SpecError and UsageError."""
    given = live.given_bounds(options)
    read = [
        (one, play.read_as_played(play.read_source(one.file), options=options))
        for one in suite.entries
    ]
    refuse_upgrades(suite, [experiment for _, experiment in read])
    refuse_unused(options.settings, played={one.file.stem: experiment for one, experiment in read})
    return tuple(
        Asked(
            one.file.stem,
            one.expect,
            content_of(rebound(experiment, name=one.file.stem, given=given)),
        )
        for one, experiment in read
    )
