"""What a probe made of a server's answers."""

from __future__ import annotations

from quorate.harness.model.timeline import SampleSeries


def outcomes(series: SampleSeries) -> set[tuple[int, str]]:
    """Outcomes with their details; ticks that we were late with are left out."""
    every = zip(series.outcome, series.detail, strict=True)
    found = {(outcome, series.texts[detail]) for outcome, detail in every}
    return {(outcome, text) for outcome, text in found if text != "late"}
