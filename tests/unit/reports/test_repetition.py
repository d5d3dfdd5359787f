"""The block at the end of a repeated run."""

from __future__ import annotations

from quorate.harness.model.repetition import (
    Comparison,
    Point,
    Quantile,
    Regression,
    Repetition,
    Share,
    Summary,
)
from quorate.reports.repetition import COUNTED_SO, render_repetition

SHARE = Share(
    met=18,
    missed=1,
    inconclusive=1,
    confidence=0.95,
    at_least=0.717382,
    at_most=0.997439,
    claim=None,
    next_claim=0.9,
    clean_runs=41,
)
CLEAN = SHARE.model_copy(
    update={
        "met": 59,
        "missed": 0,
        "inconclusive": 0,
        "at_least": 0.950492,
        "at_most": 1.0,
        "claim": 0.95,
        "next_claim": None,
        "clean_runs": None,
    }
)
OUTAGE = Summary(
    indicator="longest_outage_s",
    of=("api",),
    during="fault",
    deadline_s=1.0,
    unit="s",
    values=(Point(value=2.6), Point(value=3.1), Point(value=61.0, censored=True)),
    bound=5.0,
    share=SHARE,
    least=Point(value=2.6),
    median=Point(value=3.1),
    most=Point(value=61.0, censored=True),
    quantiles=(
        Quantile(q=0.5, needs=5, at_most=3.2001),
        Quantile(q=0.95, needs=59, at_most=None, reason="needs 59 runs, there are 3"),
    ),
)
WORSE = Comparison(
    indicator="longest_outage_s",
    of=("api",),
    during="fault",
    deadline_s=1.0,
    unit="s",
    runs=10,
    runs_before=12,
    median=Point(value=3.9),
    median_before=Point(value=3.1),
    p=0.00123,
    worse=True,
)


def said(share: Share = SHARE, **change: object) -> str:
    whole = Repetition(
        experiment="x.yaml",
        seed=5,
        asked=20,
        played=20,
        untried=0,
        share=share,
        indicators=(OUTAGE,),
        regression=Regression(note="no baseline is stored"),
    )
    return render_repetition(whole.model_copy(update=change))


def test_what_was_measured_and_what_it_proves() -> None:
    text = said()
    assert text.startswith("20 of 20 runs of x.yaml, seed 5\n")
    assert (
        "18 MET, 1 MISSED, 1 INCONCLUSIVE: the share MET is at least 71.7 %, at most 99.8 % "
        "(95 % confidence each)"
    ) in text, "each rounded away from what would be claimed"
    assert COUNTED_SO in text
    assert "to claim 90 %: 41 more, all MET" in text
    assert "can be claimed" not in text
    assert "longest_outage_s of api during fault at a deadline of 1 s, at most 5 s" in text
    assert "measured in 3 runs: min 2.60 s, median 3.10 s, max more than 61.00 s" in text
    assert "p50: at most 3.21 s" in text
    assert "p95: not said, needs 59 runs, there are 3" in text
    assert "Not compared with a baseline: no baseline is stored" in text


def test_a_clean_series() -> None:
    text = said(CLEAN)
    assert "at least 95 %, at most 100 %" in text
    assert "can be claimed with 95 % confidence: at least 95 % MET" in text
    assert text.count(COUNTED_SO) == 0


def test_a_series_that_ended_early() -> None:
    text = said(played=3, untried=2, ended_early="interrupted", not_saved="interrupted")
    assert "3 of 20 runs" in text
    assert "ended early: interrupted" in text
    assert "2 of them broke nothing" in text
    assert "NOT saved as the baseline: interrupted" in text


def test_beside_a_baseline() -> None:
    regression = Regression(baseline="/b.json", saved="2026-01-01", comparisons=(WORSE,))
    text = said(regression=regression, saved_to="/b.json")
    assert "Beside the baseline of 2026-01-01 (/b.json)" in text
    assert (
        "SLOWER than the stored baseline (p = 0.0012); median 3.90 s of 10, was 3.10 s of 12"
        in text
    )
    assert "saved as the baseline: /b.json" in text
    fine = WORSE.model_copy(update={"worse": False, "p": 0.4, "unit": "samples"})
    text = said(regression=regression.model_copy(update={"comparisons": (fine,)}))
    assert "nothing says that it is larger than the stored baseline (p = 0.4)" in text
    few = WORSE.model_copy(update={"worse": False, "p": None, "reason": "too few runs"})
    text = said(regression=regression.model_copy(update={"comparisons": (few,)}))
    assert "at a deadline of 1 s: too few runs" in text


def test_another_cluster_is_told_by_what_differs() -> None:
    regression = Regression(note="of another configuration", changes=("advert_int 1 → 3 on cp2",))
    text = said(regression=regression)
    assert "Not compared with a baseline: of another configuration\n  advert_int 1 → 3" in text
