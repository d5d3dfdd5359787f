from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from quorate.harness.errors import CommandTimeout, NodeUnreachable, UndoUnconfirmed
from quorate.harness.model.undo import Undo
from quorate.harness.transport.memory import MemoryTransport, Reply
from quorate.harness.undo.execute import execute_with

MakeUndo = Callable[..., Undo]
UNREACHABLE = NodeUnreachable("cp1", argv=["true"], problem="unreachable")


@pytest.fixture
def power_on(undo: MakeUndo) -> Undo:
    """A power switch beside the harness, confirmed on the node itself."""
    return undo(argv=("switch", "on", "cp1"), confirm_argv=("true",), confirm_node="cp1")


def test_without_a_confirmation_the_exit_code_counts(undo: MakeUndo, clock: Any) -> None:
    transport = MemoryTransport()
    execute_with(transport, clock=clock, sleep=clock.sleep)(undo(argv=("undo", "it")))
    assert [call.argv for call in transport.calls] == [("undo", "it")]


def test_it_asks_until_confirmed_and_acts_only_once(power_on: Undo, clock: Any) -> None:
    transport = MemoryTransport()
    transport.on("true", node="cp1", reply=Reply())
    transport.on("true", node="cp1", reply=Reply(error=UNREACHABLE), times=4)
    execute_with(transport, clock=clock, sleep=clock.sleep)(power_on)
    assert [call.argv[0] for call in transport.calls] == ["switch"] + ["true"] * 5
    assert {call.node for call in transport.calls if call.argv == ("true",)} == {"cp1"}
    assert 4 <= clock.now_s < power_on.confirm_timeout_s


def test_what_came_too_early_is_done_again(power_on: Undo, clock: Any) -> None:
    """The machine had not gone off yet when its power was given back."""
    transport = MemoryTransport()
    transport.on("true", node="cp1", reply=Reply())
    transport.on("true", node="cp1", reply=Reply(error=UNREACHABLE), times=25)
    execute_with(transport, clock=clock, sleep=clock.sleep)(power_on)
    assert [call.argv[0] for call in transport.calls].count("switch") == 3
    assert clock.now_s < power_on.confirm_timeout_s


def test_never_confirmed_is_not_undone(power_on: Undo, clock: Any) -> None:
    transport = MemoryTransport().on("true", reply=Reply(error=UNREACHABLE))
    with pytest.raises(UndoUnconfirmed, match=r"not confirmed within 30 s.*\n.*seen last: cp1"):
        execute_with(transport, clock=clock, sleep=clock.sleep)(power_on)
    assert clock.now_s == pytest.approx(power_on.confirm_timeout_s, abs=1.0)


@pytest.mark.parametrize(
    ("stdout", "returncode", "confirmed"),
    [
        ("state\nactive\n", 0, True),
        ("inactive\n", 0, False),
        ("active\n", 3, False),
        ("", 0, False),
    ],
)
def test_what_is_expected_must_be_said_with_code_0(
    undo: MakeUndo, clock: Any, stdout: str, returncode: int, *, confirmed: bool
) -> None:
    transport = MemoryTransport().on("ask", reply=Reply(stdout=stdout, returncode=returncode))
    asked = undo(confirm_argv=("ask",), confirm_expect="^active$", confirm_timeout_s=3)
    execute = execute_with(transport, clock=clock, sleep=clock.sleep)
    if confirmed:
        execute(asked)
    else:
        with pytest.raises(UndoUnconfirmed):
            execute(asked)


def test_an_act_that_fails_is_tried_again_while_the_node_comes_back(
    undo: MakeUndo, clock: Any
) -> None:
    transport = MemoryTransport()
    transport.on("start", reply=Reply(error=UNREACHABLE), times=3)
    execute_with(transport, clock=clock, sleep=clock.sleep)(undo(argv=("start",)))
    assert len(transport.calls) == 4


def test_harmless_if_absent_the_confirmation_decides(undo: MakeUndo, clock: Any) -> None:
    """The harness died before its act: there is nothing to delete, and that is fine."""
    transport = MemoryTransport().on("delete", reply=Reply(returncode=1, stderr="no such table"))
    execute_with(transport, clock=clock, sleep=clock.sleep)(
        undo(argv=("delete",), confirm_argv=("absent",))
    )
    assert clock.now_s == 0


def test_the_message_names_the_act_and_what_was_seen_last(undo: MakeUndo, clock: Any) -> None:
    hung = CommandTimeout("harness", argv=["switch"], problem="did not end")
    transport = MemoryTransport().on("switch", reply=Reply(error=hung))
    transport.on("true", reply=Reply(returncode=1, stderr="still off"))
    with pytest.raises(UndoUnconfirmed) as caught:
        execute_with(transport, clock=clock, sleep=clock.sleep)(
            undo(argv=("switch",), confirm_argv=("true",), text="power cp1 on")
        )
    for part in ("power cp1 on", "did not end", "still off"):
        assert part in str(caught.value)
