"""The soak's tables: whose turn it is, and which rows count."""

from __future__ import annotations

import argparse
from pathlib import Path

from quorate import __version__
from tests.evidence import machine, rows_read
from tests.lab.pieces import Kill, expectations
from tests.lab.soak import Kind, grow


def kill(fault: str, *, left: str = "nothing") -> Kill:
    stamp = {"date": "d", "version": __version__, "commit": "c", "machine": machine()}
    rest = {"killed": "k", "at_s": "1", "last_event": "e", "taken_off_by": "t", "took_s": "1"}
    return Kill(**stamp, fault=fault, whole="yes", left=left, **rest)


def test_the_rarest_has_its_turn_and_only_good_rows_count(tmp_path: Path) -> None:
    table = tmp_path / "kills.md"

    def piece(number: int, fault: str) -> list[Kill]:
        return [kill(fault, left="a mount" if number == 1 else "nothing")]

    kind = Kind(Kill, piece, ["a", "b", "c"], 4)
    options = argparse.Namespace(rows=None)
    assert grow(table, kind, options=options, ends=1e18) == 1
    faults = [row.fault for row in rows_read(table, Kill)]
    assert faults == ["a", "b", "b", "c", "a"], "b again, since what it left does not count"
    assert grow(table, kind, options=options, ends=1e18) == 0, "long enough"


def test_every_experiment_of_a_suite_is_expected_to_come_out_some_way() -> None:
    expected = dict(expectations())
    assert expected["vip_drop_holder"] == "MET"
    assert expected["controls/vip_drop_holder_without_backups"] == "MISSED"
