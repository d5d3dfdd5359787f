"""A block of code in a method's place: the order of steps, and every way to leave the block."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from quorate.harness.errors import QuorateError, RefusedError, UsageError
from quorate.harness.faults.catalogue import FAULTS
from quorate.harness.run import by_hand, live
from quorate.harness.run.outcome import Outcome


class Run:
    """Writes down what is asked of it; no time passes but in the block."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.failure: BaseException | None = None
        self.time = 0.0
        self.directory = SimpleNamespace(now=lambda: self.time)

    def baseline(self) -> None:
        self.asked.append("baseline")

    def inject(self, name: str, arguments: Any, *, watching: bool) -> dict[str, object]:
        self.asked.append(f"inject {name}, watching {watching}")
        return {"nodes": ["cp1"]}

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        self.asked.append("aside")
        try:
            yield
        finally:
            self.asked.append("back")

    def undo(self, *, watch_until: str, at_most_s: float) -> None:
        self.asked.append(f"undo, until {watch_until}")

    def finish(self) -> None:
        self.asked.append("finish")

    def interrupted(self, why: str) -> None:
        self.asked.append("interrupted")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    made = Run()

    def end(why: str) -> Outcome:
        made.asked.append("end")
        return Outcome(0)

    monkeypatch.setattr(live, "begin", lambda document: made)
    monkeypatch.setattr(live, "end", end)
    return made


def injecting(**more: Any) -> Any:
    given = {"target": "etcd-leader", "arguments": {}, "at_most_s": 30.0, "plan": {}} | more
    return by_hand.injecting("etcd_isolate", **given)


def hand(tmp_path: Path) -> by_hand.ByHand:
    return by_hand.ByHand(live.Options(runs=tmp_path))


ON = ["baseline", "inject etcd_isolate, watching False", "aside"]
OFF = ["back", "undo, until whole"]


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_each_fault_makes_an_experiment_that_is_valid(fault: str) -> None:
    document = by_hand.injecting(fault, target="node:cp1", arguments={}, at_most_s=20, plan={})
    read = live.checked(document)
    assert [step.func for step in read.method] == [fault, "undo"]
    assert read.method[0].arguments["at_most_s"] == 20


def test_a_plan_stands_in_place_of_the_example_s() -> None:
    objectives = [{"indicator": "outages", "of": "mine", "at_most": 1}]
    probes = {"mine": {"probe": "api_write", "path": "vip", "connection": "new", "rate_hz": 25}}
    plan = {"probes": probes, "objectives": objectives, "abort_when": None, "baseline_s": 12}
    read = live.checked(injecting(plan=plan))
    assert list(read.probes) == ["mine"]
    assert read.abort_when is None
    with pytest.raises(QuorateError, match="baselines_s"):
        live.checked(injecting(plan={"baselines_s": 12}))


def test_a_fault_or_an_argument_that_is_not_there_is_told() -> None:
    with pytest.raises(UsageError, match="no fault is called"):
        by_hand.injecting("etcd_isolat", target="x", arguments={}, at_most_s=1, plan={})
    with pytest.raises(QuorateError, match="unknown argument 'strongly'"):
        live.checked(injecting(arguments={"strongly": True}))


@pytest.mark.parametrize("rate_hz", [20, 7, 0.5, 200])
def test_sampling_is_an_experiment_without_a_fault(rate_hz: float) -> None:
    asked = {"probe": "api_quorum_read", "path": "vip", "connection": "new", "rate_hz": rate_hz}
    read = live.checked(by_hand.sampling({"api": asked}, at_most_s=90, plan={}))
    assert read.faults == ()
    assert read.method[0].arguments == {"for_s": 90}
    assert read.objectives[0].at_most == 0
    assert read.baseline_s * rate_hz >= 300


def test_what_is_no_rate_is_told_by_the_strict_reader() -> None:
    asked = {"probe": "api_quorum_read", "path": "vip", "connection": "new", "rate_hz": "often"}
    with pytest.raises(QuorateError, match="rate_hz"):
        live.checked(by_hand.sampling({"api": asked}, at_most_s=90, plan={}))


def test_the_block_stands_between_the_act_and_the_undo(run: Run, tmp_path: Path) -> None:
    held = hand(tmp_path)
    with held.play(injecting(), name="mine"):
        run.asked.append("block")
        assert held.injected == {"nodes": ["cp1"]}
        assert held.outcome is None
    assert run.asked == [*ON, "block", *OFF, "finish", "end"]
    assert held.outcome == Outcome(0)


def test_sampling_puts_nothing_on_and_takes_nothing_off(run: Run, tmp_path: Path) -> None:
    asked = {"probe": "api_quorum_read", "path": "vip", "connection": "new", "rate_hz": 20}
    document = by_hand.sampling({"api": asked}, at_most_s=90, plan={})
    with hand(tmp_path).play(document, name="sample"):
        pass
    assert run.asked == ["baseline", "aside", "back", "finish", "end"]


@pytest.mark.parametrize("error", [AssertionError("mine"), pytest.fail.Exception("time is over")])
def test_where_the_block_fails_the_fault_comes_off_all_the_same(
    run: Run, tmp_path: Path, error: BaseException
) -> None:
    held = hand(tmp_path)
    with pytest.raises(type(error)), held.play(injecting(), name="mine"):
        raise error
    assert run.asked == [*ON, *OFF, "end"]
    assert held.outcome == Outcome(0)


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_a_signal_waits_for_nothing_but_the_undo(
    run: Run, tmp_path: Path, error: type[BaseException]
) -> None:
    """`live.end` takes it off: the return leg is not watched."""
    with pytest.raises(error), hand(tmp_path).play(injecting(), name="mine"):
        raise error
    assert run.asked == [*ON, "back", "interrupted", "end"]


def test_a_run_that_has_failed_in_the_block_only_closes(run: Run, tmp_path: Path) -> None:
    def block() -> None:
        run.failure = RefusedError("the guard")
        raise run.failure

    with pytest.raises(RefusedError), hand(tmp_path).play(injecting(), name="mine"):
        block()
    assert run.asked == [*ON, "back", "end"]


def test_a_block_that_takes_too_long_answers_nothing(run: Run, tmp_path: Path) -> None:
    with hand(tmp_path).play(injecting(), name="mine"):
        run.time = 31.0
    assert run.asked[-4:] == [*OFF, "finish", "end"]
    assert "at most 30 s were declared" in str(run.failure)


def test_what_refuses_the_run_goes_through(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise RefusedError("the baseline is bad")

    monkeypatch.setattr(run, "baseline", refuse)
    with pytest.raises(RefusedError), hand(tmp_path).play(injecting(), name="mine"):
        raise AssertionError("the block is not begun")
    assert run.asked == ["end"]
