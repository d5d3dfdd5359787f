"""What several runs say together: which count, as what, and what is refused."""

from __future__ import annotations

from quorate.harness.judge.repetition import Trial, share_of, summarize
from quorate.harness.model.verdict import Gate, ObjectiveResult, State, Story, Verdict

MET, MISSED, OPEN = State.MET, State.MISSED, State.INCONCLUSIVE


def result(value: float | None, *, state: State = MET, guard: bool = False) -> ObjectiveResult:
    """``value`` with 0.05 s of uncertainty; 60 and more has not recovered."""
    censored = value is not None and value >= 60
    return ObjectiveResult(
        indicator="longest_outage_s",
        of=("api",),
        during="fault",
        deadline_s=1.0,
        bound=5.0,
        value=value,
        low=None if value is None else value - 0.05,
        high=None if value is None or censored else value + 0.05,
        unit="s",
        state=state,
        censored=censored,
        guard=guard,
    )


def trial(
    value: float | None = 3.0, *, state: State = MET, gate: bool = True, ended: State | None = None
) -> Trial:
    """A run with one objective; ``ended``: what it came to as a whole where that is another."""
    whole = OPEN if state is MET and not gate else state
    verdict = Verdict(
        run_id="r",
        title="t",
        verdict=whole,
        objectives=(result(value, state=state), result(99.0, state=MISSED, guard=True)),
        gates=(Gate(name="prober", ok=gate, reason=""),),
        story=Story(injected_at=30.0),
    )
    return Trial(ended or whole, verdict)


def test_an_open_run_counts_on_the_worse_side_of_each_bound() -> None:
    clean = share_of([MET] * 20)
    one_open = share_of([MET] * 20 + [OPEN])
    one_missed = share_of([MET] * 20 + [MISSED])
    assert (one_open.met, one_open.missed, one_open.inconclusive) == (20, 0, 1)
    assert one_open.at_least == one_missed.at_least < clean.at_least
    assert one_open.at_most == 1.0 > one_missed.at_most
    assert share_of([OPEN] * 60).claim is None


def test_claims_and_what_the_next_one_needs() -> None:
    none = share_of([MET] * 20)
    assert (none.claim, none.next_claim, none.clean_runs) == (None, 0.9, 9)
    some = share_of([MET] * 59)
    assert (some.claim, some.next_claim, some.clean_runs) == (0.95, 0.99, 240)
    assert share_of([MET] * 58).claim == 0.9
    all_ = share_of([MET] * 299)
    assert (all_.claim, all_.next_claim, all_.clean_runs) == (0.99, None, None)
    failed = share_of([MET] * 20 + [MISSED])
    assert (failed.next_claim, failed.clean_runs) == (0.9, 46 - 21)
    nothing = share_of([])
    assert (nothing.at_least, nothing.at_most, nothing.clean_runs) == (0.0, 1.0, 29)


def test_spread_and_quantiles() -> None:
    (summary,) = summarize([trial(value / 10) for value in range(59, 0, -1)])
    assert summary.least is not None
    assert summary.median is not None
    assert summary.most is not None
    spread = (summary.least.value, summary.median.value, summary.most.value)
    assert spread == (0.1, 3.0, 5.9)
    p50, p90, p95, p99 = summary.quantiles
    assert p50.at_most == 3.75, "the 37th, by the upper end of what it can have been"
    assert p90.at_most == 5.85
    assert p95.at_most == 5.95, "the largest"
    assert (p99.at_most, p99.needs) == (None, 299)
    assert p99.reason == "needs 299 runs that measured it, there are 59"
    assert summary.share.claim == 0.95


def test_the_worse_of_the_middle_two() -> None:
    (summary,) = summarize([trial(1.0), trial(2.0), trial(3.0), trial(4.0)])
    assert summary.median is not None
    assert summary.median.value == 3.0


def test_what_did_not_recover_is_last_and_bounds_nothing() -> None:
    (summary,) = summarize([*[trial(61.0, state=MISSED)] * 2, *[trial(70.0)] * 1, *[trial()] * 4])
    assert summary.most is not None
    assert (summary.most.value, summary.most.censored) == (70.0, True)
    assert summary.quantiles[0].at_most is None
    assert "not over when the data ended in 3 of 7 runs" in summary.quantiles[0].reason
    assert (summary.share.met, summary.share.missed) == (5, 2)


def test_a_run_whose_gates_fail_measures_nothing() -> None:
    (summary,) = summarize([trial(3.0), trial(0.0, gate=False), trial(9.0, state=MISSED)])
    assert [point.value for point in summary.values] == [3.0, 9.0]
    assert (summary.share.met, summary.share.missed, summary.share.inconclusive) == (1, 1, 1)


def test_a_missed_objective_stays_missed_when_a_gate_fails() -> None:
    (summary,) = summarize([trial(9.0, state=MISSED, gate=False)])
    assert summary.share.missed == 1
    assert summary.values == ()


def test_a_run_that_failed_itself_is_not_met() -> None:
    (summary,) = summarize([trial(3.0, ended=OPEN), trial(None, state=OPEN)])
    assert summary.share.inconclusive == 2
    assert (summary.values, summary.least, summary.median, summary.most) == ((), None, None, None)
    assert summary.quantiles[0].reason == "needs 5 runs that measured it, there are 0"


def test_no_runs_no_indicators() -> None:
    assert summarize([]) == ()
