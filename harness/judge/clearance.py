"""`quorate gate`: do stored runs allow it? Pure: the same question and runs, the same answer.

Of the runs of an experiment the newest that counts decides. One that lost data decides against it
however many came out well afterwards: what was acknowledged and is gone does not come back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from quorate.harness.model.clearance import (
    Asked,
    Clearance,
    PassedOver,
    Question,
    Standing,
    StoredRun,
    age_text,
)
from quorate.harness.model.fingerprint import changes
from quorate.harness.model.verdict import State

SKEW = timedelta(seconds=2)
"""A run that began or ended later than this from now is no evidence: a clock was set back since, or
two machines do not agree. Clocks under NTP agree to far less."""

EARLIEST = datetime.min.replace(tzinfo=UTC)

Objection = Callable[[StoredRun, Asked, Question], str]


def decide(question: Question, runs: Sequence[StoredRun]) -> Clearance:
    """The answer to the whole question."""
    standings = tuple(_standing(one, question=question, runs=runs) for one in question.asked)
    return Clearance(question, standings, problems=tuple(_problems(question)))


def _problems(question: Question) -> list[str]:
    found = []
    if not question.fingerprint.id:
        lacking = "; ".join(question.fingerprint.missing)
        found.append(f"what the cluster runs now is not known as a whole: {lacking}")
    if question.pending:
        runs = ", ".join(question.pending)
        found.append(f"a run is under way or has left something on (`quorate undo`): {runs}")
    return found


def _standing(one: Asked, *, question: Question, runs: Sequence[StoredRun]) -> Standing:
    mine = sorted((run for run in runs if _is_of(run, one)), key=_start, reverse=True)
    against = {run.run: _against(run, one, question) for run in mine}
    lost = (run for run in mine if run.unsafe and not _no_evidence(run, one, question))
    decides = next(lost, None) or next((run for run in mine if not against[run.run]), None)
    over = tuple(
        PassedOver(run.run, against[run.run])
        for run in mine
        if against[run.run] and run is not decides
    )
    if decides is None:
        reason = over[0].reason if over else "there is no run of it"
        return Standing(one.name, one.expect, State.INCONCLUSIVE, reason, passed_over=over)
    state, reason = _said(decides, one)
    age_s = (question.now - _start(decides)).total_seconds()
    ruling = Standing(one.name, one.expect, state, reason, passed_over=over)
    return replace(ruling, run=decides.run, verdict=decides.verdict, age_s=age_s)


def _is_of(run: StoredRun, one: Asked) -> bool:
    """By its file's name, or, where that is not known (under `chaos`), by what it asks."""
    return run.name == one.name or (not run.name and run.content == one.content)


def _start(run: StoredRun) -> datetime:
    return run.started or EARLIEST


def _said(run: StoredRun, one: Asked) -> tuple[State, str]:
    """What a run that counts says."""
    if run.unsafe:
        return State.MISSED, f"data was not safe: {'; '.join(run.unsafe)}"
    assert run.verdict is not None
    if run.verdict is one.expect:
        return State.MET, f"{run.verdict}, as expected"
    told = f"{run.verdict}, expected {one.expect}"
    if run.verdict is State.MISSED:
        return State.MISSED, f"{told}: {run.because}"
    # A control that came out better than it can: then what the others say is not to be trusted.
    return State.INCONCLUSIVE, f"{told}: the harness did not notice what this control is about"


def _no_evidence(run: StoredRun, one: Asked, question: Question) -> str:
    """Why a run is none of this question's, on this cluster as it is; "" where it is."""
    return _first(_NO_EVIDENCE, run, one, question)


def _against(run: StoredRun, one: Asked, question: Question) -> str:
    """Why a run does not count, "" where it does."""
    return _no_evidence(run, one, question) or _first(_NO_ANSWER, run, one, question)


def _first(objections: Sequence[Objection], run: StoredRun, one: Asked, question: Question) -> str:
    return next(filter(None, (objection(run, one, question) for objection in objections)), "")


def _unreadable(run: StoredRun, one: Asked, question: Question) -> str:
    return f"cannot be read: {run.problem}" if run.problem else ""


def _foreign(run: StoredRun, one: Asked, question: Question) -> str:
    same = run.cluster == question.cluster
    return "" if same else f"it is of another cluster, {run.cluster!r}"


def _to_come(run: StoredRun, one: Asked, question: Question) -> str:
    latest = max(_start(run), run.ended or EARLIEST)
    if latest <= question.now + SKEW:
        return ""
    ahead = age_text((latest - question.now).total_seconds())
    return f"it is from the future, by {ahead}: the clock was set back since, so its age is unknown"


def _too_old(run: StoredRun, one: Asked, question: Question) -> str:
    age_s = (question.now - _start(run)).total_seconds()
    if age_s <= question.max_age_s:
        return ""
    return f"it is {age_text(age_s)} old, at most {age_text(question.max_age_s)} is allowed"


def _other_question(run: StoredRun, one: Asked, question: Question) -> str:
    if run.content == one.content:
        return ""
    before, now = run.content or {}, one.content
    fields = [key for key in sorted({*before, *now}) if before.get(key) != now.get(key)]
    return f"the experiment, or a bound of it, has changed since: {', '.join(fields)}"


def _open(run: StoredRun, one: Asked, question: Question) -> str:
    return "" if run.closed else "it was never closed: it crashed, or is still under way"


def _configuration(run: StoredRun, one: Asked, question: Question) -> str:
    now, then = question.fingerprint, run.fingerprint
    if not now.id:
        return "what the cluster runs now is not known, so nothing can be compared"
    if then is None or not then.id:
        lacking = "; ".join(then.missing) if then else "it holds no fingerprint"
        return f"what the cluster ran then is not known: {lacking}"
    if then.id == now.id:
        return ""
    return f"configuration changed: {'; '.join(changes(then, now))}"


def _ended_early(run: StoredRun, one: Asked, question: Question) -> str:
    return f"it was {run.closed}" if run.closed in ("interrupted", "refused") else ""


def _undecided(run: StoredRun, one: Asked, question: Question) -> str:
    if run.verdict is None:
        return "it holds no verdict"
    if run.verdict is State.INCONCLUSIVE is not one.expect:
        return f"INCONCLUSIVE: {run.because}"
    return ""


_NO_EVIDENCE: tuple[Objection, ...] = (
    _unreadable,
    _foreign,
    _to_come,
    _too_old,
    _other_question,
    _open,
    _configuration,
)
"""In the order in which they are told: the first one is the reason."""

_NO_ANSWER: tuple[Objection, ...] = (_ended_early, _undecided)
