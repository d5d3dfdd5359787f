"""Several runs for people: how many were met, what that proves, and what each indicator was."""

from __future__ import annotations

import math
from collections.abc import Iterator

from quorate.harness.model.repetition import (
    Comparison,
    Point,
    Quantile,
    Regression,
    Repetition,
    Share,
    Summary,
)
from quorate.reports.text import name_of, unit_of

COUNTED_SO = (
    "an INCONCLUSIVE run in which a fault was on counts as MISSED for the lower bound and as MET "
    "for the upper one: nobody knows its answer"
)


def render_repetition(said: Repetition) -> str:
    """The block at the end of a repeated run; it ends with a newline."""
    return "\n".join(_lines(said)) + "\n"


def _lines(said: Repetition) -> Iterator[str]:
    yield f"{said.played} of {said.asked} runs of {said.experiment}, seed {said.seed}"
    if said.ended_early:
        yield f"  ended early: {said.ended_early}"
    if said.untried:
        yield f"  {said.untried} of them broke nothing, or left no verdict: not counted below"
    yield f"  {_share(said.share)}"
    if said.share.inconclusive:
        yield f"  {COUNTED_SO}"
    yield from (f"  {line}" for line in _claims(said.share))
    for one in said.indicators:
        yield ""
        yield from _indicator(one)
    yield ""
    yield from _regression(said.regression)
    if said.saved_to:
        yield f"saved as the baseline: {said.saved_to}"
    if said.not_saved:
        yield f"NOT saved as the baseline: {said.not_saved}"


def _share(share: Share) -> str:
    counted = f"{share.met} MET, {share.missed} MISSED, {share.inconclusive} INCONCLUSIVE"
    low = _percent(math.floor(share.at_least * 1000) / 1000)
    high = _percent(math.ceil(share.at_most * 1000) / 1000)
    sure = _percent(share.confidence)
    return f"{counted}: the share MET is at least {low}, at most {high} ({sure} confidence each)"


def _claims(share: Share) -> Iterator[str]:
    sure = _percent(share.confidence)
    if share.claim is not None:
        yield f"can be claimed with {sure} confidence: at least {_percent(share.claim)} MET"
    if share.next_claim is not None:
        more = f"{share.clean_runs} more, all MET"
        yield f"to claim {_percent(share.next_claim)}: {more}"


def _indicator(one: Summary) -> Iterator[str]:
    yield f"{name_of(one)}, at most {one.bound:g}{unit_of(one)}"
    yield f"  {_share(one.share)}"
    yield from (f"  {line}" for line in _claims(one.share))
    if one.least is None or one.median is None or one.most is None:
        yield "  measured in no run"
        return
    spread = ", ".join(
        f"{word} {_number(point, one)}"
        for word, point in (("min", one.least), ("median", one.median), ("max", one.most))
    )
    yield f"  measured in {len(one.values)} runs: {spread}"
    yield from (f"  {_quantile(quantile, one)}" for quantile in one.quantiles)


def _quantile(quantile: Quantile, one: Summary) -> str:
    name = f"p{quantile.q * 100:g}"
    if quantile.at_most is None:
        return f"{name}: not said, {quantile.reason}"
    at_most = math.ceil(round(quantile.at_most * 100, 6)) / 100
    return f"{name}: at most {_number(Point(value=at_most), one)}"


def _regression(found: Regression) -> Iterator[str]:
    if found.baseline:
        yield f"Beside the baseline of {found.saved} ({found.baseline})"
        yield from (f"  {_comparison(one)}" for one in found.comparisons)
        return
    yield f"Not compared with a baseline: {found.note}"
    yield from (f"  {line}" for line in found.changes)


def _comparison(one: Comparison) -> str:
    if one.p is None:
        return f"{name_of(one)}: {one.reason}"
    now, before = _number(one.median, one), _number(one.median_before, one)
    medians = f"median {now} of {one.runs}, was {before} of {one.runs_before}"
    larger = "slower" if one.unit == "s" else "larger"
    found = (
        f"{larger.upper()} than the stored baseline (p = {one.p:.2g})"
        if one.worse
        else f"nothing says that it is {larger} than the stored baseline (p = {one.p:.2g})"
    )
    return f"{name_of(one)}: {found}; {medians}"


def _number(point: Point | None, one: Summary | Comparison) -> str:
    if point is None:
        return "not measured"
    number = f"{point.value:.2f} s" if one.unit == "s" else f"{point.value:g}{unit_of(one)}"
    return f"more than {number}" if point.censored else number


def _percent(share: float) -> str:
    return f"{share * 100:.1f}".removesuffix(".0") + " %"
