"""The power switch of a machine that is on its way down."""

from __future__ import annotations

from typing import Any

import pytest

from quorate.harness.errors import LabError
from quorate.harness.lab import node, shell
from quorate.harness.lab.plan import LabPlan
from quorate.harness.lab.spec import HostFacts


class Down(Exception):
    """The first thing that booting does."""


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """cp1 runs; what is waited for comes true; booting it ends the test."""
    seen: list[str] = []

    def boots(*_: object) -> None:
        raise Down

    def await_true(what: str, *_: object, **__: object) -> None:
        seen.append(what)

    monkeypatch.setattr(node, "state", lambda *_: "running")
    monkeypatch.setattr(node, "power_off", boots)
    monkeypatch.setattr(shell, "await_true", await_true)
    return seen


def switch_on(plan: LabPlan, facts: HostFacts) -> None:
    (machine, *_) = plan.nodes
    node.power_on(plan, machine, facts, [])


@pytest.mark.parametrize("said", ["running\nsystemd", "degraded\nsystemd", "offline\nsystemd"])
def test_a_machine_that_is_on_is_left_alone(
    plan: LabPlan, ordinary: HostFacts, waited: list[str], monkeypatch: Any, said: str
) -> None:
    monkeypatch.setattr(node, "run", lambda *_: said)
    switch_on(plan, ordinary)
    assert not waited


@pytest.mark.parametrize("said", ["stopping\nsystemd\n", "offline\nsystemd-shutdow\n", None])
def test_a_machine_that_goes_down_is_booted_once_it_is_off(
    plan: LabPlan, ordinary: HostFacts, waited: list[str], monkeypatch: Any, said: str | None
) -> None:
    def run(*_: object) -> str:
        if said is None:
            raise LabError("killed")
        return said

    monkeypatch.setattr(node, "run", run)
    with pytest.raises(Down):
        switch_on(plan, ordinary)
    assert waited == ["cp1 goes down"]
