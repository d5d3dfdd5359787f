"""A switch's own program, run beside quorate."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from quorate.harness.drivers.switches.switch import CALL_TIMEOUT_S
from quorate.harness.errors import CommandFailed, CommandTimeout, Missing, PreflightError
from quorate.harness.transport.child import NO_SUCH_COMMAND, run_child


def answer(
    node: str, argv: Sequence[str], *, package: str, environment: Mapping[str, str] | None = None
) -> str:
    """What it says on stdout, in English. A secret is given by `environment`: no one else sees it.

    Raises CommandFailed, CommandTimeout, and PreflightError where the program is not installed.
    """
    env = {**os.environ, "LC_ALL": "C", **(environment or {})}
    done = run_child(argv, timeout_s=CALL_TIMEOUT_S, env=env)
    if done.returncode is None:
        problem = f"did not end within {CALL_TIMEOUT_S:g} s, killed"
        raise CommandTimeout(node, argv=argv, problem=problem)
    if done.returncode == NO_SUCH_COMMAND:
        raise PreflightError([Missing(f"the program {argv[0]}", f"apt-get install {package}")])
    if done.returncode != 0:
        said = done.stderr.strip() or done.stdout
        raise CommandFailed(node, argv=argv, returncode=done.returncode, stderr=said)
    return done.stdout
