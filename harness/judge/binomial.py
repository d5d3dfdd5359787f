"""A confidence band for a share, from how many of how many (Clopper and Pearson, Biometrika 1934).

Exact: the true share lies outside with a probability of at most 1 − CONFIDENCE, however few
samples there are. Its edges are quantiles of beta distributions, found by halving the regularised
incomplete beta function, which is summed as a continued fraction (Numerical Recipes, 6.4).
"""

from __future__ import annotations

import math
from collections.abc import Callable

CONFIDENCE = 0.95
"""Of a band both sides together, of a bound its one side (reference/timings_and_slos.md §3)."""

_TINY = 1e-300
_STEPS = 60
"""Halvings: each gains a bit, and a share is printed to six decimals of seconds."""

_TERMS_MAX = 10_000
"""Of the continued fraction, which needs about the square root of the number of samples."""


def share_band(part: int, total: int) -> tuple[float, float]:
    """(low, high) of the true share where ``part`` of ``total`` were seen; (0, 1) of none."""
    each = (1 + CONFIDENCE) / 2
    return share_at_least(part, total, confidence=each), share_at_most(part, total, confidence=each)


def share_at_least(part: int, total: int, *, confidence: float = CONFIDENCE) -> float:
    """The lower bound alone: the true share lies below it with a probability of 1 − confidence."""
    if not part:
        return 0.0
    return _crossing(lambda x: beta(x, a=part, b=total - part + 1) >= 1 - confidence)


def share_at_most(part: int, total: int, *, confidence: float = CONFIDENCE) -> float:
    """The upper bound alone, with the same confidence on its own side."""
    return 1.0 - share_at_least(total - part, total, confidence=confidence)


def or_more(part: int, total: int, *, share: float) -> float:
    """The probability of ``part`` or more of ``total``, each of which has that of ``share``."""
    return beta(share, a=part, b=total - part + 1) if part else 1.0


def beta(x: float, *, a: float, b: float) -> float:
    """The regularised incomplete beta function I_x(a, b); ``a`` and ``b`` above 0."""
    if x <= 0.0 or x >= 1.0:
        return min(max(x, 0.0), 1.0)
    front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    front += a * math.log(x) + b * math.log1p(-x)
    if x < (a + 1) / (a + b + 2):  # there the fraction converges quickly; else by symmetry
        return math.exp(front) * _fraction(x, a=a, b=b) / a
    return 1.0 - math.exp(front) * _fraction(1 - x, a=b, b=a) / b


def _crossing(reached: Callable[[float], bool]) -> float:
    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if reached(middle) else (middle, high)
    return (low + high) / 2


def _fraction(x: float, *, a: float, b: float) -> float:
    """Lentz's method."""
    c, d = 1.0, 1.0 / _away(1.0 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _TERMS_MAX):
        step = 1.0
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1.0 / _away(1.0 + term * d)
            c = _away(1.0 + term / c)
            step = c * d
            value *= step
        if abs(step - 1.0) < 1e-12:
            break
    return value


def _away(value: float) -> float:
    """Not zero, so that it can be divided by."""
    return value if abs(value) > _TINY else _TINY
