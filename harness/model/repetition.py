"""What several runs of one experiment say together, and a stored baseline to compare it with.

Frozen values. Numbers of an indicator are in its own unit; shares and probabilities from 0 to 1.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from quorate.harness.model.fingerprint import Fingerprint


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Point(_Frozen):
    """One measured number; ``censored``: the true one is larger, nobody knows by how much."""

    value: float
    censored: bool = False


class Share(_Frozen):
    """How many runs were met, and what that says of the share that would be.

    ``at_least`` and ``at_most`` are bounds, each with probability ``confidence``. ``claim`` is the
    largest of the usual claims that ``at_least`` reaches, ``next_claim`` the smallest that it does
    not, with the ``clean_runs`` more, all met, that it needs; None where there is no such claim.
    """

    met: int
    missed: int
    inconclusive: int
    confidence: float
    at_least: float
    at_most: float
    claim: float | None
    next_claim: float | None
    clean_runs: int | None

    @property
    def runs(self) -> int:
        """All of them."""
        return self.met + self.missed + self.inconclusive


class Quantile(_Frozen):
    """Share ``q`` of all runs stays within ``at_most``, with the confidence of the whole.

    ``needs``: the smallest number of runs for which that can be said of any number; ``at_most`` is
    None below it, and where the run that would decide is censored. ``reason`` says which.
    """

    q: float
    needs: int
    at_most: float | None
    reason: str = ""


class Measured(_Frozen):
    """One indicator, and its numbers, the smallest first, what is censored last."""

    indicator: str
    of: tuple[str, ...]
    during: str
    deadline_s: float | None
    unit: str
    values: tuple[Point, ...]


class Summary(Measured):
    """The same with what the numbers say; ``least``, ``median`` and ``most`` are three of them.

    ``median``: the upper one of the middle two where their number is even.
    """

    bound: float
    share: Share
    least: Point | None
    median: Point | None
    most: Point | None
    quantiles: tuple[Quantile, ...]


class Baseline(_Frozen):
    """What a series measured on one cluster, kept to compare later ones with.

    ``question``: digest of what of the experiment decides its numbers. ``saved``: ISO 8601, UTC.
    """

    format: Literal[1] = 1
    experiment: str
    question: str
    fingerprint: Fingerprint
    saved: str
    quorate_version: str
    runs: tuple[str, ...]
    measured: tuple[Measured, ...]


class Comparison(_Frozen):
    """One indicator beside its baseline. ``worse``: its numbers are larger, and not by chance.

    ``p``: how probable numbers so much larger would be if nothing had changed; None where there
    are too few to tell, and ``reason`` says how few.
    """

    indicator: str
    of: tuple[str, ...]
    during: str
    deadline_s: float | None
    unit: str
    runs: int
    runs_before: int
    median: Point | None
    median_before: Point | None
    p: float | None
    worse: bool = False
    reason: str = ""


class Regression(_Frozen):
    """The series beside the stored baseline. It changes no verdict.

    ``baseline``: the file, empty where none is for this cluster as it is; ``note`` says why nothing
    was compared, ``changes`` what differs from the cluster of the newest baseline there is.
    """

    fingerprint: str = ""
    baseline: str = ""
    saved: str = ""
    comparisons: tuple[Comparison, ...] = ()
    changes: tuple[str, ...] = ()
    note: str = ""


class Repetition(_Frozen):
    """A whole series.

    ``asked`` runs were wanted and ``played`` were; ``ended_early`` says why not all. ``untried``:
    those in which nothing was broken; they count for nothing below. ``saved_to``: the file of the
    baseline that was made of it, ``not_saved`` why none was although it was wanted.
    """

    experiment: str
    seed: int
    asked: int
    played: int
    untried: int
    ended_early: str = ""
    share: Share
    indicators: tuple[Summary, ...]
    regression: Regression = Regression()
    saved_to: str = ""
    not_saved: str = ""
