"""A node's clock against ours: right to half a round trip, and to what clocks drift."""

from __future__ import annotations

import random

import pytest

from quorate.harness.sampling.clock import DRIFT, READINGS, ClockTrack, Reading, quickest

TRUE_NS = 7_000_000_000_123


def reading(*, at_ns: int, there_ns: int, back_ns: int, true_ns: int = TRUE_NS) -> Reading:
    """A question sent at ``at_ns``, whose ways took so long."""
    return Reading.of(at_ns, at_ns + there_ns + true_ns, at_ns + there_ns + back_ns)


@pytest.mark.parametrize(("there_ns", "back_ns"), [(100, 100), (0, 900), (900, 0), (700, 40)])
def test_however_uneven_the_ways_the_truth_is_within_half_a_round_trip(
    there_ns: int, back_ns: int
) -> None:
    one = reading(at_ns=5_000, there_ns=there_ns, back_ns=back_ns)
    assert abs(one.offset_ns - TRUE_NS) <= one.round_trip_ns / 2 + 1


def test_the_quickest_one_counts() -> None:
    slow = reading(at_ns=0, there_ns=1_000_000, back_ns=10)
    fast = reading(at_ns=10, there_ns=50, back_ns=60)
    assert quickest([slow, fast, slow]) is fast
    with pytest.raises(ValueError, match="empty"):
        quickest([])


def test_what_is_said_holds_however_the_clocks_part() -> None:
    draw = random.Random(4)
    for _ in range(200):
        drift = draw.uniform(-DRIFT, DRIFT)
        start = reading(at_ns=0, there_ns=draw.randrange(10**6), back_ns=draw.randrange(10**6))
        track = ClockTrack(start)
        at_ns = draw.randrange(10**9, 10**11)
        for number in range(READINGS):
            now_ns = at_ns + number * 10**6
            true_ns = TRUE_NS + round(drift * now_ns)
            ways = (draw.randrange(10**6), draw.randrange(10**6))
            track.take(reading(at_ns=now_ns, there_ns=ways[0], back_ns=ways[1], true_ns=true_ns))
        # Where the sampler was told to go by the offset of the start, at any time until now:
        wrong_s = abs(start.offset_ns - TRUE_NS - round(drift * at_ns)) / 1e9
        halves_s = (start.round_trip_ns + track.latest[-1].round_trip_ns) / 2e9
        assert wrong_s <= track.uncertainty_s(now_ns=at_ns) + halves_s


def test_nobody_having_compared_them_costs() -> None:
    track = ClockTrack(reading(at_ns=0, there_ns=100_000, back_ns=100_000))
    assert track.uncertainty_s(now_ns=0) == pytest.approx(100e-6)
    assert track.uncertainty_s(now_ns=10**11) == pytest.approx(100e-6 + 100 * DRIFT, rel=1e-3)
    track.take(reading(at_ns=10**11, there_ns=100_000, back_ns=100_000))
    assert track.uncertainty_s(now_ns=10**11) == pytest.approx(100e-6, rel=0.01)
    assert track.drift_s() == pytest.approx(0.0, abs=1e-6)
