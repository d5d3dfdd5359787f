"""Several nodes are asked at the same time, and answer in their order."""

from __future__ import annotations

import threading

import pytest

from quorate.harness.transport.at_once import at_once, which


def test_all_are_asked_before_the_first_has_answered() -> None:
    together = threading.Barrier(3, timeout=10)

    def ask(node: str) -> str:
        together.wait()  # broken, and so an error, unless three are here at once
        return node.upper()

    assert at_once(ask, ["a", "b", "c"]) == ["A", "B", "C"]


def test_nobody_to_ask() -> None:
    assert at_once(str, []) == []


def test_an_error_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        at_once(lambda node: 1 // node, [1, 0])


def test_which_keeps_those_that_say_so_in_their_order() -> None:
    assert which(lambda node: node % 2, [3, 2, 1, 4]) == [3, 1]
