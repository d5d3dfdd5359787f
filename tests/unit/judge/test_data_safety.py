"""Lost writes and missing answers: from events and operations to checks and the verdict."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from quorate.harness.judge import judge
from quorate.harness.judge.data_safety import data_safety
from quorate.harness.model.experiment import Experiment
from quorate.harness.model.register import Operation
from quorate.harness.model.timeline import Event, Timeline
from quorate.harness.model.verdict import SafetyCheck, State, Verdict
from quorate.reports.text import render_text

OF_REGISTERS = ("acknowledged_writes", "resource_versions", "linearizability")
DECLARED = Event(
    0.0,
    "ledger_declared",
    {"registers": {"1": "_write_vip"}, "balancers": ["cp1"], "members": ["cp1", "cp2"]},
)
MADE = Event(
    0.5, "ledger_made", {"registers": [{"name": "1", "value": "x.initial", "version": "10"}]}
)
VIP = Event(0.1, "fact", {"component": "vip", "node": "cp1", "state": "held", "good": True})
HASHES = Event(
    47.0,
    "etcd_hashes",
    {"members": {n: {"hash": 5, "revision": 90, "compacted": 7} for n in ("cp1", "cp2")}},
)
TERMS = [Event(0.2, "raft_term", {"node": n, "term": 3, "leader": "a1"}) for n in ("cp1", "cp2")]


def write(tick: int, *, on: int, version: int | None) -> Operation:
    told = None if version is None else str(version)
    start = float(tick)
    return Operation(
        "1", "_write_vip", start, start + 0.1, f"x.{tick}", told, str(on), is_write=True
    )


def read(tick: int, t: float, *, version: int, by: str = "_read_cp1") -> Operation:
    return Operation("1", by, t, t + 0.1, f"x.{tick}", str(version))


WRITES = (write(1, on=10, version=11), write(2, on=11, version=13), write(3, on=13, version=14))


def read_back(*rows: dict[str, Any]) -> Event:
    return Event(46.0, "ledger_read_back", {"reads": list(rows)})


def holds(value: str, version: int, server: str = "cp1") -> dict[str, Any]:
    row = {"register": "1", "server": server, "start": 45.5, "end": 45.6}
    return {**row, "value": value, "version": str(version)}


GOOD = read_back(
    holds("x.3", 14),
    holds("x.3", 14, "cp2"),
    {"register": "1", "server": "cp3", "problem": "no answer"},
)


@pytest.fixture
def kept(make_run: Callable[..., Timeline]) -> Callable[..., Timeline]:
    """A run whose ledger holds these operations, and at the end this event."""

    def make(
        operations: Sequence[Operation] = WRITES,
        end: Event | None = GOOD,
        *,
        without: Sequence[str] = (),
        complete: bool = True,
    ) -> Timeline:
        events = [DECLARED, MADE, VIP, HASHES, *TERMS, *([end] if end else [])]
        run = make_run(events=[one for one in events if one.kind not in without])
        return replace(run, operations=tuple(operations), sampler={"complete": complete})

    return make


Kept = Callable[..., Timeline]


def checks(timeline: Timeline) -> dict[str, SafetyCheck]:
    found = data_safety(timeline)
    assert found is not None
    return {check.name: check for check in found}


def test_a_run_from_before_the_ledger_has_no_checks(
    kept: Kept, make_experiment: Callable[..., Experiment]
) -> None:
    timeline = kept(without=["ledger_declared"])
    assert data_safety(timeline) is None
    verdict = judge(make_experiment(), timeline)
    assert verdict.verdict is State.MET
    assert "data_safety" not in verdict.to_dict()
    assert Verdict.from_json(verdict.to_json()) == verdict


def test_a_run_in_which_nothing_was_lost_is_met(
    kept: Kept, make_experiment: Callable[..., Experiment]
) -> None:
    verdict = judge(make_experiment(), kept([*WRITES, read(1, 1.5, version=11)]))
    assert verdict.data_safety is not None
    assert {check.state for check in verdict.data_safety} == {State.MET}, verdict.data_safety
    assert verdict.verdict is State.MET
    assert "3 writes acknowledged" in verdict.data_safety[0].reason
    assert "MET          acknowledged_writes: " in render_text(verdict)


GONE = {"register": "1", "server": "cp1", "start": 45.5, "end": 45.6, "gone": True}
LOST_LAST = read_back(holds("x.2", 13))
FORGOTTEN = (*WRITES[:2], read(1, 3.0, version=11), write(4, on=11, version=15))


@pytest.mark.parametrize(
    ("operations", "end", "said"),
    [
        (WRITES, LOST_LAST, "'x.2'.*began after the end of the write of 'x.3'"),
        (FORGOTTEN, read_back(holds("x.4", 15)), "a read of 'x.1'"),
        ((*WRITES[:2], write(4, on=11, version=15)), read_back(holds("x.4", 15)), "took effect on"),
        (WRITES, read_back(holds("x.1", 16)), "holds 'x.1', and 'x.3' was acknowledged last"),
        (WRITES, read_back(GONE), "cp1 says at the end that there is none"),
    ],
    ids=["the last one", "one before", "swapped on another", "an old value", "the register"],
)
def test_a_lost_write_outranks_everything(
    kept: Kept,
    make_experiment: Callable[..., Experiment],
    operations: Sequence[Operation],
    end: Event,
    said: str,
) -> None:
    verdict = judge(make_experiment(), kept(operations, end))
    assert verdict.objectives[0].state is State.MET
    assert verdict.verdict is State.MISSED
    first = render_text(verdict).splitlines()[0]
    assert first.startswith("MISSED: data safety: acknowledged_writes: register 1: ")
    assert verdict.data_safety is not None
    assert re.search(said, verdict.data_safety[0].reason), verdict.data_safety[0].reason


@pytest.mark.parametrize("found", ["x.3", "x.4"])
def test_a_write_of_unknown_outcome_may_be_there_or_not(kept: Kept, found: str) -> None:
    unknown = write(4, on=14, version=None)
    end = read_back(holds(found, 14 if found == "x.3" else 17))
    for check in checks(kept([*WRITES, unknown], end)).values():
        assert check.state is State.MET, check


def test_a_reader_that_goes_back_is_told(kept: Kept) -> None:
    """Its requests were under way together, so only their order on the connection tells."""
    behind = [read(2, 3.00, version=13), replace(read(1, 3.05, version=11), end=3.3)]
    found = checks(kept([*WRITES, *behind]))
    assert found["resource_versions"].state is State.MISSED


def test_a_stale_read_through_another_server_is_told(kept: Kept) -> None:
    found = checks(kept([*WRITES, read(1, 3.5, version=11, by="_read_cp2")]))
    assert [found[name].state for name in OF_REGISTERS] == [State.MISSED] * 3
    assert "_read_cp2" in found["resource_versions"].reason


def test_a_value_that_nobody_wrote_is_told(kept: Kept) -> None:
    found = checks(kept([*WRITES, read(9, 3.5, version=15)], read_back(holds("x.9", 15))))
    assert found["linearizability"].state is State.MISSED
    assert "'x.9' was seen and written by nobody" in found["linearizability"].reason


@pytest.mark.parametrize(
    ("change", "names", "said"),
    [
        ({"without": ["ledger_made"]}, OF_REGISTERS, "ended before its registers were made"),
        ({"end": None}, OF_REGISTERS[:1], "no API server said at the end"),
        (
            {"end": read_back({"register": "1", "server": "cp1", "problem": "no answer"})},
            OF_REGISTERS[:1],
            "no API server said at the end",
        ),
        ({"complete": False}, OF_REGISTERS, "cut short"),
        (
            {"operations": [], "end": read_back(holds("x.initial", 10))},
            OF_REGISTERS,
            "no write was",
        ),
        ({"operations": [replace(WRITES[0], version="odd")]}, OF_REGISTERS, "no number"),
        ({"without": ["fact"]}, ["vip_holders"], "nothing was heard"),
        ({"without": ["raft_term"]}, ["etcd_leaders"], "cp1: it said nothing"),
        ({"without": ["etcd_hashes"]}, ["etcd_hashes"], "was not asked"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_is_not_known_is_no_pass(
    kept: Kept,
    make_experiment: Callable[..., Experiment],
    change: dict[str, Any],
    names: Sequence[str],
    said: str,
) -> None:
    timeline = kept(**change)
    found = checks(timeline)
    assert {name for name, one in found.items() if one.state is State.INCONCLUSIVE} == set(names)
    assert all(said in found[name].reason for name in names), found
    verdict = judge(make_experiment(), timeline)
    assert verdict.verdict is State.INCONCLUSIVE
    assert f"INCONCLUSIVE {names[0]}: " in render_text(verdict)


def test_what_a_cut_off_ledger_may_have_written_is_no_violation(kept: Kept) -> None:
    """The sampler died: the line of tick 4 was never written."""
    found = checks(kept(WRITES, read_back(holds("x.4", 15)), complete=False))
    assert found["linearizability"].state is State.INCONCLUSIVE
    lost = checks(kept(WRITES, LOST_LAST, complete=False))
    assert lost["acknowledged_writes"].state is State.MISSED, "what is known to be lost is lost"
