"""What is shared out, what lies inside, and what other tools' words are read as; no server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.known.answers import GAP_S, LONGEST_S, SHORTEST_S, Answer, shared_out, spread
from tests.known.cost import Ticks, spelled
from tests.known.peers import CELLS, LENGTHS_S, of_journal, of_krkn
from tests.known.pieces import Known
from tests.known.switch import MODES, Truth


def answer(*, value: float, low: float, high: float, blur_s: float = 0.0) -> Answer:
    return Answer(Truth("reset", 10.0, 11.0, blur_s), value, low, high)


def test_lengths_are_spread_over_every_decade_and_every_mode() -> None:
    outages = spread(MODES, count=200, seed="any")
    assert {mode: sum(one.mode == mode for one in outages) for mode in MODES} == dict.fromkeys(
        MODES, 40
    )
    lengths = sorted(one.length_s for one in outages)
    assert SHORTEST_S <= lengths[0] < 0.11
    assert 27 < lengths[-1] <= LONGEST_S
    assert sum(one < 1.0 for one in lengths) == pytest.approx(200 * 0.404, abs=2)
    assert spread(MODES, count=200, seed="any") == outages


def test_everybody_has_about_as_much_to_do() -> None:
    outages = spread(MODES, count=200, seed="any")
    shares = shared_out(outages, among=8)
    given = [outage for share in shares for outage in share]
    assert sorted(map(repr, given)) == sorted(map(repr, outages))
    takes_s = [sum(one.length_s + GAP_S for one in share) for share in shares]
    assert max(takes_s) - min(takes_s) < 2


@pytest.mark.parametrize(
    ("given", "inside", "good"),
    [
        (answer(value=1.05, low=1.0, high=1.1), True, True),
        (answer(value=1.05, low=1.01, high=1.1), False, False),
        (answer(value=1.05, low=1.01, high=1.1, blur_s=0.02), True, True),
        (answer(value=0.9, low=0.85, high=0.99), False, False),
        (answer(value=1.5, low=0.5, high=2.5), True, False),  # right, and says little
        (answer(value=1.09, low=1.0, high=1.2), True, True),  # a request took 0.04 s at its start
        (answer(value=0.91, low=0.82, high=1.0), True, True),  # and at its end
        (answer(value=1.11, low=1.0, high=1.2), True, False),
    ],
)
def test_a_row_is_good_when_it_is_right_and_near(given: Answer, inside: bool, good: bool) -> None:
    row = Known.of(given)
    assert (given.inside, row.ok) == (inside, good)
    assert row.inside == ("yes" if inside else "NO")


def hypotheses(spelled: str) -> dict[str, object]:
    """`.` met, `!` not; one a second."""
    each = [
        {"steady_state_met": one == ".", "probes": [{"start": f"2026-01-01T00:00:{number:02d}"}]}
        for number, one in enumerate(spelled)
    ]
    return {"steady_states": {"during": each}}


@pytest.mark.parametrize(
    ("spelled", "length_s", "samples"),
    [
        ("....", 0.0, "0 of 4 bad"),
        (".!!..", 2.0, "2 of 5 bad"),
        (".!.!!!.", 3.0, "4 of 7 bad"),
    ],
)
def test_a_journal_says_how_long_none_was_met(
    tmp_path: Path, spelled: str, length_s: float, samples: str
) -> None:
    file = tmp_path / "journal.json"
    file.write_text(json.dumps(hypotheses(spelled)))
    word = of_journal(file, exit_code=0)
    assert (word.length_s, word.samples) == (length_s, samples)


@pytest.mark.parametrize("spelled", ["", "!!.."])
def test_a_journal_that_begins_in_the_outage_is_no_measurement(
    tmp_path: Path, spelled: str
) -> None:
    file = tmp_path / "journal.json"
    file.write_text(json.dumps(hypotheses(spelled)))
    with pytest.raises(AssertionError, match="had not begun"):
        of_journal(file, exit_code=0)


def test_a_check_that_was_down_twice_was_down_for_both() -> None:
    word = of_krkn('{"down_s": [2.0, 3.5], "exit_code": 3}')
    assert (word.length_s, word.exit_code) == (5.5, 3)


def test_tables_have_a_cell_for_each_mode_and_length() -> None:
    assert len(CELLS) == len(MODES) * len(LENGTHS_S)
    assert spelled([3.0, 1.0, 2.0]) == "2.000 (1.000 to 3.000)"
    assert "grew mb" in Ticks.titles()
