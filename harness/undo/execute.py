"""Carrying out one undo: run its command, then poll until it is confirmed."""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from quorate.harness.errors import CommandFailed, TransportError, UndoUnconfirmed
from quorate.harness.model.undo import Undo

RETRY_S = 1.0
"""Pause between two tries: short against a boot or a link coming back, long against an ssh."""
AGAIN_S = 10.0
"""Pause after which a command is repeated that ended well and is not confirmed: it may have come
too early (power given to a machine that had not gone off yet)."""
CONFIRM_TRY_S = 10.0
"""What one confirming command may take at most, so that a dead node is asked again."""


class Result(Protocol):
    """What an undo needs to know of a command that ended."""

    @property
    def returncode(self) -> int: ...
    @property
    def stdout(self) -> str: ...
    @property
    def stderr(self) -> str: ...


class Runner(Protocol):
    """What an undo needs of a transport."""

    def run(self, node: str, argv: Sequence[str], *, timeout_s: float) -> Result:
        """Run argv on the node; TransportError where that is not possible or takes too long."""


def execute_with(
    runner: Runner,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Callable[[Undo], None]:
    """A function that carries out one undo through ``runner``, for `settle`.

    The command is run; while it fails it is run again (a node may be booting or cut off), and
    while it is not confirmed it is asked again, every RETRY_S, and run again, every AGAIN_S, until
    ``confirm_timeout_s`` seconds after the first try ended. The function raises UndoUnconfirmed,
    saying what was seen last.
    """

    def execute(undo: Undo) -> None:
        problem: str | TransportError | None
        act_problem = _act(undo, runner)
        acted = clock()
        deadline = acted + undo.confirm_timeout_s
        while True:
            if undo.confirm_argv is None:
                problem = act_problem
            else:
                left_s = max(1.0, deadline - clock())
                problem = _confirm(
                    undo, undo.confirm_argv, runner=runner, timeout_s=min(CONFIRM_TRY_S, left_s)
                )
            if problem is None:
                return
            if clock() >= deadline:
                raise _unconfirmed(undo, act_problem, problem=problem)
            sleep(RETRY_S)
            if act_problem is not None or clock() - acted >= AGAIN_S:
                act_problem, acted = _act(undo, runner), clock()

    return execute


def _act(undo: Undo, runner: Runner) -> TransportError | None:
    """Run the undo's command; what went wrong, or None."""
    try:
        result = runner.run(undo.node, undo.argv, timeout_s=undo.timeout_s)
    except TransportError as error:
        return error
    if result.returncode == 0:
        return None
    return CommandFailed(
        undo.node, argv=undo.argv, returncode=result.returncode, stderr=result.stderr
    )


def _confirm(
    undo: Undo, argv: Sequence[str], *, runner: Runner, timeout_s: float
) -> str | TransportError | None:
    """Ask once whether the fault is off; what speaks against it, or None."""
    node = undo.confirm_node or undo.node
    try:
        result = runner.run(node, argv, timeout_s=timeout_s)
    except TransportError as error:
        return error
    asked = f"{node}: {shlex.join(argv)}"
    if result.returncode != 0:
        return f"{asked} ended with {result.returncode}: {result.stderr.strip()[-500:]}"
    if undo.confirm_expect is not None and not re.search(
        undo.confirm_expect, result.stdout, re.MULTILINE
    ):
        return f"{asked} said {result.stdout.strip()[-500:]!r}, not {undo.confirm_expect!r}"
    return None


def _unconfirmed(
    undo: Undo, act_problem: TransportError | None, *, problem: str | TransportError
) -> UndoUnconfirmed:
    lines = [f"{undo.text}: not confirmed within {undo.confirm_timeout_s:g} s"]
    if act_problem is not None and act_problem is not problem:
        lines.append(f"the undo itself: {act_problem}")
    lines.append(f"seen last: {problem}")
    error = UndoUnconfirmed("\n    ".join(lines))
    error.__cause__ = act_problem
    return error
