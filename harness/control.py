"""The Chaos Toolkit control and verdict: short calls into the live run.

chaoslib swallows what a control raises, except InterruptExecution; it exits 0 when the baseline
is not met or an action fails, and 1.44 swallows SIGTERM. Therefore the control itself marks the
journal, whatever happened, so that nothing but MET ends in 0 (tried with 1.44 and 1.45).
"""

from __future__ import annotations

import logging
from typing import Any

from chaoslib.exceptions import InterruptExecution

from quorate.harness.errors import Interrupted, QuorateError
from quorate.harness.model.verdict import State
from quorate.harness.run import live
from quorate.harness.run.outcome import Outcome
from quorate.reports.hostile import one_line

_LOG = logging.getLogger("chaostoolkit")

JOURNAL_KEY = "quorate"
BROKEN = 3
NOTED_CHARS = 300
"""Of what an activity of another package found: a list of pods may be long."""

_refusal: list[Outcome] = []


def before_experiment_control(context: dict[str, Any], **_: Any) -> None:
    """Open the run. Whatever is in the way ends the experiment before any activity."""
    _refusal.clear()
    try:
        live.begin(context)
    except Exception as error:
        refusal = _outcome_of(error)
        _refusal.append(refusal)
        raise InterruptExecution(refusal.reason) from error


def after_activity_control(context: dict[str, Any], state: dict[str, Any], **_: Any) -> None:
    """What an activity of another package found, for the run's report: quorate does not judge it,
    and the engine keeps it in a journal that `quorate run` does not write."""
    provider = context.get("provider") or {}
    if str(provider.get("module", "")).startswith("quorate"):
        return
    what = state.get("exception") or repr(state.get("output"))
    name = str(context.get("name", "")).strip() or "an activity"
    live.note(f"{name}: {state.get('status')}: {one_line(what, at_most=NOTED_CHARS)}")


def after_experiment_control(context: dict[str, Any], state: dict[str, Any], **_: Any) -> None:
    """Close the run and mark the journal: its own result, and a failure unless that is 0."""
    outcome = Outcome(BROKEN, reason="quorate could not close its run", error="Exception")
    try:
        outcome = _ended(str(state.get("status")))
    except Exception as error:
        outcome = _outcome_of(error)
    finally:
        mark(state, outcome)


def _outcome_of(error: Exception) -> Outcome:
    """What an error means; to be called where it is being handled."""
    if isinstance(error, QuorateError):
        return Outcome(error.exit_code, reason=str(error), error=type(error).__name__)
    _LOG.exception("quorate: an error of its own")
    return Outcome(BROKEN, reason=f"quorate: {error!r}", error=type(error).__name__)


def _ended(status: str) -> Outcome:
    refusal = _refusal[0] if _refusal else None
    outcome = live.end(f"the engine ended the experiment ({status}) before its verdict was asked")
    if refusal is None:
        return outcome or _not_opened(status)
    if outcome is None:
        return refusal
    return Outcome(
        max(outcome.exit_code, refusal.exit_code),
        outcome.verdict,
        outcome.directory,
        reason=refusal.reason,
        error=refusal.error,
    )


def _not_opened(status: str) -> Outcome:
    """Neither a run nor a refusal: a signal came before either, or the engine never asked us."""
    if status == "interrupted":
        why = "a signal ended the experiment before its run was opened"
        return Outcome(Interrupted.exit_code, reason=why, error=Interrupted.__name__)
    return Outcome(BROKEN, reason="the control opened no run", error="Exception")


def mark(journal: dict[str, Any], outcome: Outcome) -> None:
    """Write our result into the journal; anything but 0 must not look like a pass."""
    journal[JOURNAL_KEY] = outcome.to_dict()
    if outcome.exit_code != 0:
        journal["deviated"] = bool(journal.get("deviated")) or outcome.verdict is State.MISSED
        if journal.get("status") == "completed" and not journal["deviated"]:
            journal["status"] = "failed"


def verdict() -> str:
    """Asked before the method: take the baseline ("MET", or it raises). Asked after: the verdict.

    Raises RefusedError when no run is live, which the engine takes for a failed probe: exit 1.
    """
    run = live.current()
    if run.stage == "opened":
        run.baseline()
        return State.MET.value
    return run.finish().verdict.value
